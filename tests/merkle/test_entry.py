import json
from base64 import b64encode
from uuid import NAMESPACE_URL, uuid5

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from registry.merkle.entry import (
    MAX_ENTRY_BYTES,
    MAX_INTEGER,
    Entry,
    commitment,
    encode_entry,
    event_uuid,
    format_time,
    parse_entry,
    parse_time,
)
from registry.merkle.tree import leaf_hash

# A whole event worked through, salts and all.
SOURCE = "https://report-b.example/"
UUID = bytes.fromhex("81b5aa95b26a5c8580733daa96155df1")
PART_0 = (
    '{"attrs":{"correlationid":"story-1"},"data":{"cites":[{"basis":"inferred","publication_id":"report-b"}],'
    '"occurred":"2025-07-16","place":{"country":"SLV","name":"San Salvador"},"signatures":[{"actor":{"person":'
    '{"name":{"$part":1},"person_id":"6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"}},"capacity":{"$part":1},'
    '"party":"pak"},{"actor":{"person":{"name":{"$part":2},"person_id":"0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b22"}},'
    '"party":"slv"}]},"principal":"3d3c7f2e-8a55-4d55-9b0a-9f0f5a3b7c33"}'
)
PARTS = [
    (
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        PART_0,
        "7d16ccfa3a56340376469d80d847b4d27d6e817aac4919d765ebca88ff6b79b5",
    ),
    (
        "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        '{"/signatures/0/actor/person/name":"A. Signatory","/signatures/0/capacity":"Minister"}',
        "8f093f0211b382ef5ae023c7fc27aff643a015aa4c932a8f870e635799a06920",
    ),
    (
        "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
        '{"/signatures/1/actor/person/name":"B. Signatory"}',
        "56ea73754f5659b4411eb0a24c6c3a7984f8fb30d98711f853916e88674cc344",
    ),
]
ENTRY = (
    b'{"id":"b-3","parts":["fRbM+jpWNAN2Rp2A2Ee00n1ugXqsSRnXZevKiP9rebU=",'
    b'"jwk/AhGzgu9a4CPH/Cev9kOgFapMkyqPhw5jV5mgaSA=","VupzdU9WWbRBHrCiTGw6eYT4+zDZhxH4U5FuiGdMw0Q="],'
    b'"rec":"2026-01-02T03:04:05.000006Z","seq":3,"source":"https://report-b.example/",'
    b'"stream":"pak-slv-2025-digital-assets","type":"agreement.signed.v1","v":1,"ver":3}'
)
LEAF = "a78cfc4515fa1400f720f9d75111aebdc6422608c935f5b8d58805cc1beb630f"
FIELDS = Entry(
    id="b-3",
    parts=tuple(bytes.fromhex(committed) for _, _, committed in PARTS),
    recorded_at=1_767_323_045_000_006,
    position=3,
    source=SOURCE,
    stream="pak-slv-2025-digital-assets",
    type="agreement.signed.v1",
    version=3,
)

# Anything UTF-8 can hold: no surrogates.
texts = st.text(st.characters(codec="utf-8"))
sources = texts.filter(lambda text: "\n" not in text)
times = st.integers(0, 253_402_300_799_999_999)
entries = st.builds(
    Entry,
    id=texts,
    parts=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4).map(tuple),
    recorded_at=times,
    position=st.integers(1, MAX_INTEGER),
    source=sources,
    stream=texts,
    type=texts,
    version=st.integers(0, MAX_INTEGER),
)


def as_json(entry):
    return {
        "type": entry.type,
        "ver": entry.version,
        "v": 1,
        "stream": entry.stream,
        "source": entry.source,
        "seq": entry.position,
        "rec": format_time(entry.recorded_at),
        "parts": [b64encode(part).decode() for part in entry.parts],
        "id": entry.id,
    }


def test_the_worked_event_has_its_uuid_commitments_entry_and_leaf():
    assert event_uuid(SOURCE, "b-3") == UUID
    committed = [
        commitment(bytes.fromhex(salt), UUID, k, data.encode()) for k, (salt, data, _) in enumerate(PARTS)
    ]
    assert [part.hex() for part in committed] == [known for _, _, known in PARTS]
    entry = encode_entry(**FIELDS._asdict())
    assert entry == ENTRY
    assert leaf_hash(entry).hex() == LEAF
    assert parse_entry(ENTRY) == FIELDS


@given(entries)
def test_an_entry_is_canonical_json_as_two_other_writers_have_it(entry):
    written = encode_entry(**entry._asdict())
    assert written == rfc8785.dumps(as_json(entry))
    assert written == msgspec.json.Encoder(order="sorted").encode(as_json(entry))


@given(entries)
def test_an_entry_is_read_back_as_it_was_written(entry):
    assert parse_entry(encode_entry(**entry._asdict())) == entry


@pytest.mark.parametrize(
    "spelling",
    [
        ENTRY + b"\n",
        ENTRY.replace(b",", b", ", 1),
        ENTRY.replace(b'"id":"b-3"', b'"id":"b\\u002d3"'),
        ENTRY.replace(b'{"id":"b-3"', b'{"id":"b-2","id":"b-3"'),
        ENTRY.replace(b'"seq":3', b'"seq":3.0'),
        ENTRY.replace(b'"seq":3', b'"seq":03'),
        ENTRY.replace(b'"seq":3', b'"seq":true'),
        ENTRY.replace(b'"seq":3', b'"seq":"3"'),
        ENTRY.replace(b'"seq":3', b'"seq":0'),
        ENTRY.replace(b'"seq":3', b'"seq":9007199254740992'),
        ENTRY.replace(b'"seq":3', b'"seq":' + b"9" * 5000),
        ENTRY.replace(b'"seq":3', b'"seq":-0'),
        ENTRY.replace(b'"ver":3', b'"ver":-1'),
        ENTRY.replace(b'"ver":3', b'"ver":NaN'),
        ENTRY.replace(b'"v":1', b'"v":2'),
        ENTRY.replace(b'"v":1,', b""),
        ENTRY.replace(b'"v":1', b'"v":1,"w":1'),
        ENTRY.replace(b'"id":"b-3"', b'"id":null'),
        ENTRY.replace(b'"id":"b-3"', b'"id":"\\ud800"'),
        ENTRY.replace(b'"id":"b-3"', b'"id":"\xff"'),
        ENTRY.replace(b"b-3", b"b" * MAX_ENTRY_BYTES),
        ENTRY.replace(b"05.000006Z", b"05.000006+00:00"),
        ENTRY.replace(b"05.000006Z", b"05Z"),
        ENTRY.replace(b"T03:", b" 03:"),
        ENTRY.replace(b'["fRbM', b'["fRb\\n'),
        ENTRY.replace(b"rebU=", b"rebV="),
        ENTRY.replace(b"rebU=", b"rebU"),
        ENTRY.replace(b"fRbM+j", b"fRbM-j"),
        ENTRY.replace(b"fRbM+j", b"fRbM\xc3\xa9"),
        ENTRY.replace(b"fRbM+jpW", b"fRbM"),
        ENTRY.replace(ENTRY[ENTRY.index(b"[") : ENTRY.index(b"]") + 1], b"[]"),
        ENTRY.replace(ENTRY[ENTRY.index(b"[") : ENTRY.index(b"]") + 1], b"[1]"),
        ENTRY.replace(ENTRY[ENTRY.index(b"[") : ENTRY.index(b"]") + 1], b'"all"'),
        b"\xef\xbb\xbf" + ENTRY,
        b"[" * 60_000,
        b"[]",
        b"",
    ],
)
def test_any_other_spelling_of_an_entry_is_refused(spelling):
    assert spelling != ENTRY
    with pytest.raises(ValueError, match=r"."):
        parse_entry(spelling)


def test_no_change_of_one_byte_reads_as_the_same_entry():
    for place in range(len(ENTRY)):
        for flip in (1, 0x20, 0x80):
            changed = bytearray(ENTRY)
            changed[place] ^= flip
            try:
                parsed = parse_entry(bytes(changed))
            except ValueError:
                continue
            assert parsed != FIELDS


@pytest.mark.parametrize(
    "change",
    [
        {"position": 0},
        {"position": MAX_INTEGER + 1},
        {"version": -1},
        {"version": MAX_INTEGER + 1},
        {"parts": ()},
        {"parts": (bytes(31),)},
        {"id": "b" * MAX_ENTRY_BYTES},
        {"id": "\ud800"},
        {"source": "a\nb"},
        {"recorded_at": -1},
        {"recorded_at": 253_402_300_800_000_000},
    ],
)
def test_what_makes_no_entry_is_not_written(change):
    with pytest.raises(ValueError, match=r"."):
        encode_entry(**(FIELDS._asdict() | change))


@given(source=sources, id=texts)
def test_the_uuid_of_an_event_is_version_5_of_rfc_9562(source, id):
    assert event_uuid(source, id) == uuid5(NAMESPACE_URL, f"{source}\n{id}").bytes


def test_a_source_with_a_line_feed_has_no_uuid():
    with pytest.raises(ValueError, match="line feed"):
        event_uuid("a\nb", "c")


def test_a_commitment_depends_on_everything_it_is_given():
    salt, data = bytes(32), b"data"
    others = {
        commitment(bytes(31) + b"\1", UUID, 0, data),
        commitment(salt, UUID[::-1], 0, data),
        commitment(salt, UUID, 1, data),
        commitment(salt, UUID, 0, b"date"),
        commitment(salt, UUID, 0, b""),
    }
    assert len(others) == 5
    assert commitment(salt, UUID, 0, data) not in others


@pytest.mark.parametrize(
    ("salt", "uuid", "k"), [(31, 16, 0), (33, 16, 0), (32, 15, 0), (32, 17, 0), (32, 16, -1), (32, 16, 65536)]
)
def test_a_commitment_takes_a_salt_a_uuid_and_a_number_of_their_sizes(salt, uuid, k):
    with pytest.raises(ValueError, match="takes"):
        commitment(bytes(salt), bytes(uuid), k, b"")


@given(times)
def test_a_record_time_is_read_back_as_it_was_written(us):
    assert parse_time(format_time(us)) == us


def test_a_record_time_is_written_to_the_microsecond():
    assert format_time(0) == "1970-01-01T00:00:00.000000Z"
    assert format_time(1_767_323_045_000_006) == "2026-01-02T03:04:05.000006Z"
    assert format_time(253_402_300_799_999_999) == "9999-12-31T23:59:59.999999Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05.00000\uff16Z",
        "2026-01-02T03:04:05.000006z",
        "2026-01-02T03:04:05.000006Z\n",
        "2026-01-02T24:00:00.000000Z",
        "2026-01-02T23:59:60.000000Z",
        "2026-02-29T00:00:00.000000Z",
        "1969-12-31T23:59:59.999999Z",
        "0000-01-01T00:00:00.000000Z",
        "",
    ],
)
def test_a_record_time_has_one_spelling_only(text):
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


def test_the_members_of_an_entry_stand_in_sorted_order():
    assert list(json.loads(ENTRY)) == sorted(json.loads(ENTRY))
