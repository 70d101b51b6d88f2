import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cloudevents.core.bindings import http as sdk
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain import codec
from registry.domain.cloudevents import from_headers, header_value, outgoing, posted
from registry.domain.events import EVENT_TYPES, Signed
from registry.domain.strict_json import decode
from registry.errors import Invalid, Malformed

SIGNED = {
    "specversion": "1.0",
    "id": "b-3",
    "source": "https://report-b.example/",
    "type": "agreement.signed.v1",
    "subject": "pak-slv-2025-digital-assets",
    "data": {"signatures": [{"party": "pak"}, {"party": "slv"}], "occurred": "2025-07-16"},
}


def flaws_of(envelope: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        posted(envelope)
    return {flaw.pointer: flaw.detail for flaw in caught.value.flaws}


def headers_of(envelope: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """The headers a careful sender writes: everything that is not plain is percent-encoded."""
    return [
        (f"ce-{name}".encode(), percent_encoded(value).encode())
        for name, value in envelope.items()
        if name not in ("data", "datacontenttype") and value is not None
    ]


def percent_encoded(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    return "".join(
        chr(byte) if 0x21 <= byte <= 0x7E and byte not in b'"%' else f"%{byte:02X}" for byte in text.encode()
    )


def test_a_structured_event_is_read():
    event = posted(SIGNED | {"time": "2025-07-17T10:00:00+05:00", "correlationid": "story-1"})
    assert (event.source, event.id, event.type) == ("https://report-b.example/", "b-3", "agreement.signed.v1")
    assert event.subject == "pak-slv-2025-digital-assets"
    assert event.body == SIGNED["data"]
    assert isinstance(event.data, Signed)
    assert event.attrs == {"time": "2025-07-17T10:00:00+05:00", "correlationid": "story-1"}
    assert event.expected_version is None


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject"])
def test_a_required_attribute_must_be_there(name: str):
    assert flaws_of({key: value for key, value in SIGNED.items() if key != name}) == {
        f"/{name}": "is required"
    }


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject", "time", "dataschema"])
@pytest.mark.parametrize("value", [1, True, ["a"], {}])
def test_an_attribute_of_cloudevents_is_a_string(name: str, value: Any):
    assert flaws_of(SIGNED | {name: value})[f"/{name}"] == "is no string"


def test_null_is_the_same_as_absent():
    assert posted(
        SIGNED | {"time": None, "datacontenttype": None, "custom": None, "data_base64": None}
    ) == posted(SIGNED)
    assert flaws_of(SIGNED | {"subject": None}) == {"/subject": "is required"}


@pytest.mark.parametrize("value", ["0.3", "1", "1.0.2", ""])
def test_only_version_one_is_spoken(value: str):
    assert list(flaws_of(SIGNED | {"specversion": value})) == ["/specversion"]


@pytest.mark.parametrize("value", ["a", "x" * 128, "visit 1", '"%&?'])
def test_an_id_is_printable_ascii(value: str):
    assert posted(SIGNED | {"id": value}).id == value


@pytest.mark.parametrize("value", ["", "x" * 129, " a", "a ", "é", "a\n", "a\tb", "\x7f"])
def test_any_other_id_is_refused(value: str):
    assert list(flaws_of(SIGNED | {"id": value})) == ["/id"]


@pytest.mark.parametrize(
    "value",
    [
        "https://report-b.example/",
        "https://report-b.example:8443/a/b?c=d#e",
        "http://[2001:db8::1]/",
        "urn:example:office:7",
        "urn:uuid:6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11",
        "/offices/treaty-section",
        "/",
        "file:///archive/1",
        "https://xn--caf-dma.example/%C3%A9",
        "urn:office:a@b",
        "https://a.example/" + "x" * 494,
    ],
)
def test_a_source_is_an_absolute_uri_or_a_uri_path(value: str):
    assert posted(SIGNED | {"source": value}).source == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "report-b",
        "offices/treaty-section",
        "//report-b.example/",
        "https:",
        "https://a b.example/",
        "https://a.example/ b",
        "https://a.example/%zz",
        "https://a.example/%2",
        "https://[::1/",
        "https://a.example:port/",
        "https://café.example/",
        "1http://a.example/",
        "https://a.example/\\b",
        "https://a.example/#a#b",
        "https://a.example/\n",
        "/a<b>",
        "https://a.example/" + "x" * 495,
    ],
)
def test_any_other_source_is_refused(value: str):
    assert list(flaws_of(SIGNED | {"source": value})) == ["/source"]


@pytest.mark.parametrize(
    "value", ["mailto:clerk@a.example", "MAILTO:a@b.example", "tel:+43-1", "acct:clerk@a.example"]
)
def test_a_source_that_names_a_person_is_refused(value: str):
    assert "person" in flaws_of(SIGNED | {"source": value})["/source"]


@pytest.mark.parametrize(
    "value", ["https://clerk@a.example/", "https://clerk:secret@a.example/", "x://@host"]
)
def test_a_source_with_user_info_is_refused(value: str):
    assert "user info" in flaws_of(SIGNED | {"source": value})["/source"]


@pytest.mark.parametrize(
    "value", ["agreement.signed.v2", "agreement.signed", "signed", "", "Agreement.signed.v1"]
)
def test_a_type_that_is_not_known_is_refused(value: str):
    assert flaws_of(SIGNED | {"type": value}) == {"/type": "is no event type of this registry"}


def test_the_record_of_an_erasure_cannot_be_posted():
    assert "erasure" in flaws_of(SIGNED | {"type": "agreement.personal-data-erased.v1"})["/type"]


@pytest.mark.parametrize("value", ["abc", "0-1", "a" * 80])
def test_a_subject_is_an_agreement_id(value: str):
    assert posted(SIGNED | {"subject": value}).subject == value


@pytest.mark.parametrize("value", ["", "ab", "-abc", "Abc", "a b c", "a_b", "a" * 81, "abc\n", "\u0661bc"])
def test_any_other_subject_is_refused(value: str):
    assert list(flaws_of(SIGNED | {"subject": value})) == ["/subject"]


@pytest.mark.parametrize(
    "value",
    [
        "2025-07-16T12:00:00Z",
        "2025-07-16t12:00:00z",
        "2024-02-29T23:59:60.123456789-12:30",
        "2025-07-16T00:00:00+00:00",
    ],
)
def test_a_time_is_kept_as_it_was_posted(value: str):
    assert posted(SIGNED | {"time": value}).attrs == {"time": value}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2025-07-16",
        "2025-07-16T12:00:00",
        "2025-07-16 12:00:00Z",
        "2025-02-29T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-07-16T24:00:00Z",
        "2025-07-16T12:60:00Z",
        "2025-07-16T12:00:61Z",
        "2025-07-16T12:00:00.Z",
        "2025-07-16T12:00:00+24:00",
        "2025-07-16T12:00:00Z\n",
        "\u0662025-07-16T12:00:00Z",
    ],
)
def test_any_other_time_is_refused(value: str):
    assert list(flaws_of(SIGNED | {"time": value})) == ["/time"]


@pytest.mark.parametrize(
    "value", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_the_content_type_of_data_is_json_and_is_not_kept(value: str):
    assert posted(SIGNED | {"datacontenttype": value}) == posted(SIGNED)


@pytest.mark.parametrize("value", ["text/xml", "application/json; charset=latin-1", "application/jsonx", ""])
def test_any_other_content_type_of_data_is_refused(value: str):
    assert list(flaws_of(SIGNED | {"datacontenttype": value})) == ["/datacontenttype"]


@pytest.mark.parametrize("place", ["https://registry.example/schemas/", "/schemas/"])
def test_a_schema_is_the_one_of_the_type_wherever_it_is(place: str):
    schema = f"{place}agreement.signed.v1.schema.json"
    assert posted(SIGNED | {"dataschema": schema}).attrs == {"dataschema": schema}


@pytest.mark.parametrize(
    "value",
    [
        "https://registry.example/agreement.ratified.v1.schema.json",
        "agreement.signed.v1.schema.json",
        "https://registry.example/agreement.signed.v1",
        "https://a b.example/agreement.signed.v1.schema.json",
        "https://a.example/" + "x" * 600 + "/agreement.signed.v1.schema.json",
    ],
)
def test_any_other_schema_is_refused(value: str):
    assert list(flaws_of(SIGNED | {"dataschema": value})) == ["/dataschema"]


def test_extensions_are_kept_as_canonical_strings():
    event = posted(
        SIGNED | {"correlationid": "a", "urgent": True, "old": False, "rank": -7, "empty": "", "x1": "é"}
    )
    assert event.attrs == {
        "correlationid": "a",
        "urgent": "true",
        "old": "false",
        "rank": "-7",
        "empty": "",
        "x1": "é",
    }


@pytest.mark.parametrize("name", ["Custom", "my_ext", "my-ext", "é", "", "a/b", "\uff11"])
def test_the_name_of_an_extension_is_lower_case_letters_and_digits(name: str):
    (flaw,) = flaws_of(SIGNED | {name: "x"}).values()
    assert "name" in flaw


@pytest.mark.parametrize("value", [[], {}, 2**31, -(2**31) - 1])
def test_an_extension_of_no_cloudevents_type_is_refused(value: Any):
    assert list(flaws_of(SIGNED | {"custom": value})) == ["/custom"]


@pytest.mark.parametrize("character", ["\x01", "\x1f", "\x7f", "\x9f", "\ufdd0", "\uffff", "\U0001fffe"])
def test_an_extension_with_a_character_that_cloudevents_forbids_is_refused(character: str):
    assert list(flaws_of(SIGNED | {"custom": f"a{character}"})) == ["/custom"]


@pytest.mark.parametrize("name", ["recordedtime", "sequence", "agreementversion", "leafhash", "erasedparts"])
def test_what_the_registry_adds_is_taken_from_nobody(name: str):
    assert "added by the registry" in flaws_of(SIGNED | {name: "1"})[f"/{name}"]


@pytest.mark.parametrize("value", [0, 7, "7", 2**31 - 1])
def test_an_expected_version_is_read_and_not_kept(value: Any):
    event = posted(SIGNED | {"expectedversion": value})
    assert event.expected_version == int(value)
    assert event.attrs == {}


@pytest.mark.parametrize("value", [-1, "-1", "07", "v7", "", True, 2**31, "99999999999", "\u0661", [], "1_0"])
def test_any_other_expected_version_is_refused(value: Any):
    assert list(flaws_of(SIGNED | {"expectedversion": value})) == ["/expectedversion"]


def test_base64_is_refused():
    envelope = {name: value for name, value in SIGNED.items() if name != "data"} | {"data_base64": "e30="}
    assert list(flaws_of(envelope)) == ["/data_base64", "/data"]


@pytest.mark.parametrize("envelope", [[], "x", 1, None])
def test_an_event_is_an_object(envelope: Any):
    assert flaws_of(envelope) == {"": "is no object"}


def test_flaws_of_attributes_and_of_data_are_told_together():
    flaws = flaws_of(
        SIGNED | {"id": "", "data": {"signatures": [{"party": "PAK"}], "occurred": "2025-07-16"}}
    )
    assert list(flaws) == ["/id", "/data/signatures/0/party"]


@pytest.mark.parametrize("data", [None, [], "x", {"signatures": None, "occurred": "2025"}])
def test_data_must_be_an_object_of_the_type(data: Any):
    assert all(pointer.startswith("/data") for pointer in flaws_of(SIGNED | {"data": data}))


def test_a_pointer_to_a_strange_name_is_escaped():
    assert list(flaws_of(SIGNED | {"a/b": 1})) == ["/a~1b"]


EXTENSIONS = {
    "time": "2025-07-16T12:00:00.5+05:00",
    "correlationid": "Euro € 😀",
    "quoted": 'he said "100%"',
    "flag": True,
    "rank": -12,
    "expectedversion": 3,
    "dataschema": "/schemas/agreement.signed.v1.schema.json",
}


def test_binary_mode_gives_the_same_event_as_structured_mode():
    envelope = SIGNED | EXTENSIONS
    body = json.dumps(SIGNED["data"]).encode()
    headers = [(b"content-type", b"application/json"), (b"host", b"a.example"), *headers_of(envelope)]
    assert from_headers(headers, body) == posted(envelope)


def test_the_stored_bytes_are_the_same_in_every_mode():
    envelope = SIGNED | EXTENSIONS
    structured = posted(decode(json.dumps(envelope).encode()))
    (batched,) = (posted(each) for each in decode(json.dumps([envelope], ensure_ascii=False).encode()))
    binary = from_headers(headers_of(envelope), json.dumps(envelope["data"], indent=2).encode())
    first, second, third = (
        codec.split(event.type, event.body, event.attrs, "p") for event in (structured, batched, binary)
    )
    assert first == second == third


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"plain", "plain"),
        (b"", ""),
        (b" padded\t", "padded"),
        (b"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        (b"%e2%82%ac", "€"),
        (b"%41%42", "AB"),
        (b"%2525", "%25"),
        (b'"Euro \\"x\\" \\\\ %E2%82%AC"', 'Euro "x" \\ €'),
        (b'""', ""),
        (b"a b", "a b"),
        (b"it's (fine)", "it's (fine)"),
    ],
)
def test_the_value_of_a_header_is_unquoted_and_percent_decoded_once(raw: bytes, value: str):
    assert header_value(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"%C0%A0",
        b"%ED%A0%80",
        b"%F5%80%80%80",
        b"%80",
        b"%E2%82",
        b"100%",
        b"%2",
        b"%zz",
        b"%u0041",
        b'"100%"',
        b'"open',
        b'open"',
        b'a "b" c',
        b'"a" "b"',
        b'"a\\"',
        b"caf\xc3\xa9",
        b"a\x00b",
        b"\x7f",
    ],
)
def test_a_header_that_is_badly_encoded_is_refused(raw: bytes):
    with pytest.raises(ValueError):
        header_value(raw)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_what_is_percent_encoded_is_decoded_again(text: str):
    assert header_value(percent_encoded(text).encode()) == text


def test_a_badly_encoded_attribute_is_malformed_with_its_place():
    headers = [*headers_of(SIGNED), (b"ce-correlationid", b"%C0%A0")]
    with pytest.raises(Malformed) as caught:
        from_headers(headers, b"{}")
    assert [flaw.pointer for flaw in caught.value.flaws] == ["/correlationid"]


def test_an_attribute_given_by_two_headers_is_malformed():
    with pytest.raises(Malformed) as caught:
        from_headers([*headers_of(SIGNED), (b"ce-id", b"b-4")], b"{}")
    assert [flaw.pointer for flaw in caught.value.flaws] == ["/id"]


@pytest.mark.parametrize("name", [b"ce-datacontenttype", b"ce-data"])
def test_content_type_and_data_are_no_headers_of_their_own(name: bytes):
    with pytest.raises(Invalid) as caught:
        from_headers([*headers_of(SIGNED), (name, b"application/json")], b"{}")
    assert [flaw.pointer for flaw in caught.value.flaws] == [f"/{name[3:].decode()}"]


def test_a_body_that_is_not_strict_json_is_malformed_with_its_place_in_the_event():
    with pytest.raises(Malformed) as caught:
        from_headers(headers_of(SIGNED), b'{"occurred":1.5}')
    assert [flaw.pointer for flaw in caught.value.flaws] == ["/data/occurred"]


def test_a_binary_event_without_a_body_lacks_data():
    with pytest.raises(Invalid) as caught:
        from_headers(headers_of(SIGNED), b"")
    assert [flaw.pointer for flaw in caught.value.flaws] == ["/data"]


def joined_of(envelope: dict[str, Any], *without: int) -> codec.Joined:
    event = posted(envelope)
    parts = dict(enumerate(codec.split(event.type, event.body, event.attrs, "p")))
    left = {k: part for k, part in parts.items() if k not in without}
    return codec.join(left.pop(0, None), left)


def given_back(envelope: dict[str, Any], *without: int) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(written_out(envelope, *without))
    return event


def written_out(envelope: dict[str, Any], *without: int) -> bytes:
    return outgoing(
        source=envelope["source"],
        id=envelope["id"],
        type=envelope["type"],
        subject=envelope["subject"],
        position=42,
        version=3,
        recorded_time="2026-01-02T03:04:05.000006Z",
        leaf_hash=bytes(range(32)),
        joined=joined_of(envelope, *without),
    )


ADDED = {
    "recordedtime": "2026-01-02T03:04:05.000006Z",
    "sequence": "0000000000000000042",
    "agreementversion": 3,
    "leafhash": bytes(range(32)).hex(),
}
NAMED = SIGNED | {
    "data": {
        "signatures": [
            {
                "party": "pak",
                "actor": {
                    "person": {"person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "name": "A. Signatory"}
                },
            }
        ],
        "occurred": "2025-07-16",
    }
}


def test_an_event_is_given_back_as_it_was_posted_with_what_the_registry_knows():
    envelope = SIGNED | {"time": "2025-07-17T10:00:00Z", "correlationid": "story-1"}
    assert given_back(envelope) == envelope | ADDED


def test_a_personal_value_is_given_back_in_its_place():
    assert given_back(NAMED) == NAMED | ADDED


def test_an_erased_part_is_named():
    event = given_back(NAMED, 1)
    assert event["erasedparts"] == "1"
    assert event["data"]["signatures"][0]["actor"]["person"]["name"] == {"$part": 1}


def test_an_event_whose_part_zero_is_erased_has_no_data():
    event = given_back(SIGNED, 0)
    assert event["erasedparts"] == "0"
    assert "data" not in event


def test_what_is_written_out_begins_with_the_envelope_and_ends_with_the_data():
    envelope = SIGNED | {"id": 'a "b" \\ c', "correlationid": "Zürich \u2028 \\", "data": NAMED["data"]}
    data = envelope.pop("data")
    in_order = {**envelope, **ADDED, "data": data}
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    written = json.loads(written_out(envelope | {"data": data}))
    assert list(written) == list(in_order)
    assert written_out(envelope | {"data": data}) == json.dumps(written, **compact).encode()


def test_what_is_given_back_cannot_be_posted_again_as_it_is():
    assert sorted(flaws_of(given_back(SIGNED))) == sorted(f"/{name}" for name in ADDED)


extension_text = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn")) | st.sampled_from("\"%' €😀"), max_size=20
)


@given(
    extension=extension_text,
    time=st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=5)))),
    id=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20),
)
def test_the_official_sdk_and_this_codec_understand_each_other(extension: str, time: datetime, id: str):
    attributes = {name: value for name, value in SIGNED.items() if name != "data"} | {
        "id": id,
        "time": time,
        "correlationid": extension,
        "datacontenttype": "application/json",
    }
    event = CloudEvent(attributes, SIGNED["data"])
    binary, structured = sdk.to_binary_event(event), sdk.to_structured_event(event)
    headers = [(name.lower().encode(), value.encode()) for name, value in binary.headers.items()]
    read = from_headers(headers, binary.body)
    assert read == posted(decode(structured.body))
    assert read.attrs["correlationid"] == extension
    back = sdk.from_structured_event(sdk.HTTPMessage({}, json.dumps(given_back(NAMED)).encode()))
    assert back.get_extension("sequence") == ADDED["sequence"]
    assert back.get_data() == NAMED["data"]


EXAMPLES = [(name, example) for name, cls in sorted(EVENT_TYPES.items()) for example in cls.examples]

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.sampled_from(["", "2025", "2025-13", "pak", "P1Y", "\n", "\u2028", "$part", "x" * 300, "é"])
    | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "en", "name", "party", "$part", "é", "a/b~", ""]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, each in inner for place in places(each, (*at, key)))]


@settings(max_examples=400)
@given(st.data())
def test_whatever_is_changed_in_an_event_it_is_read_or_refused_with_a_place(data: st.DataObject):
    name, example = data.draw(st.sampled_from(EXAMPLES))
    envelope = SIGNED | {"type": name, "data": copy.deepcopy(example)}
    at = data.draw(st.sampled_from(places(envelope)[1:]))
    parent: Any = envelope
    for key in at[:-1]:
        parent = parent[key]
    if data.draw(st.booleans()):
        parent[at[-1]] = data.draw(anything)
    elif isinstance(parent, dict):
        parent[data.draw(st.sampled_from(["zzz", "é", "$part", "", "a/b~", "en"]))] = data.draw(anything)
    else:
        del parent[at[-1]]
    try:
        event = posted(decode(json.dumps(envelope).encode()))
    except Invalid as error:
        assert error.flaws  # noqa: PT017
        assert all(flaw.detail and (not flaw.pointer or flaw.pointer.startswith("/")) for flaw in error.flaws)  # noqa: PT017
    else:
        parts = codec.split(event.type, event.body, event.attrs, "p")
        joined = codec.join(parts[0], dict(enumerate(parts[1:], 1)))
        assert (joined.body, joined.attrs) == (event.body, event.attrs)
