import asyncio
import gc
import json
import weakref
from typing import Any

import pytest

from api.conftest import (
    AGREEMENT,
    SOURCE,
    Service,
    event,
    places,
    planned,
    problem,
    registered,
    serving,
    signed,
)
from registry.api import posting
from registry.errors import Malformed, Unavailable

BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "signed",
    "ce-source": SOURCE,
    "ce-type": "agreement.signed.v1",
    "ce-subject": AGREEMENT,
}


async def size_of(service: Service) -> int:
    return (await service.get("/log")).json()["size"]


async def test_a_new_event_gives_a_receipt(service_on_any: Service):
    response = await service_on_any.post(registered())
    assert response.status_code == 201
    receipt = response.json()
    assert receipt["position"] == receipt["version"] == 1
    assert receipt["agreement"] == AGREEMENT
    assert receipt["replayed"] is False
    assert receipt["warnings"] == []
    assert len(receipt["leaf_hash"]) == 64
    assert response.headers["Location"] == "/events/1"
    assert response.headers["ETag"] == '"v1"'
    assert response.headers["Registry-Position"] == "1"
    assert "Idempotency-Replayed" not in response.headers


async def test_posting_again_gives_the_first_receipt_and_records_nothing(service_on_any: Service):
    first = (await service_on_any.post(registered())).json()
    again = await service_on_any.post(registered(traceparent="00-1-2-3"))
    assert again.status_code == 200
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first | {"replayed": True}
    assert await size_of(service_on_any) == 1


async def test_a_batch_gives_a_receipt_each(service_on_any: Service):
    response = await service_on_any.batch(registered(), signed(), planned("visit-1"))
    assert response.status_code == 201
    assert [receipt["version"] for receipt in response.json()] == [1, 2, 3]
    assert response.headers["Registry-Position"] == "3"
    assert "Location" not in response.headers
    assert "ETag" not in response.headers


async def test_a_batch_of_which_all_is_known_is_a_replay(service: Service):
    await service.batch(registered(), signed())
    again = await service.batch(registered(), signed())
    assert again.status_code == 200
    assert again.headers["Idempotency-Replayed"] == "true"
    half = await service.batch(registered(), planned("visit-1"))
    assert half.status_code == 201
    assert "Idempotency-Replayed" not in half.headers
    assert [receipt["replayed"] for receipt in half.json()] == [True, False]


async def test_an_empty_batch_is_fine(service: Service):
    response = await service.batch()
    assert response.status_code == 200
    assert response.json() == []
    assert "Idempotency-Replayed" not in response.headers


async def test_an_event_may_stand_twice_in_a_batch(service: Service):
    response = await service.batch(registered(), registered())
    assert [receipt["position"] for receipt in response.json()] == [1, 1]


async def test_binary_mode_takes_attributes_from_headers(registered_service: Service):
    body = json.dumps(signed()["data"]).encode()
    extension = {"ce-correlationid": "Euro%20%E2%82%AC"}
    response = await registered_service.send(body, "application/json; charset=UTF-8", **BINARY, **extension)
    assert response.status_code == 201, response.text
    given = (await registered_service.get(response.headers["Location"])).json()
    assert given["correlationid"] == "Euro €"
    structured = await registered_service.post(signed(correlationid="Euro €"))
    assert structured.headers["Idempotency-Replayed"] == "true"
    batched = await registered_service.batch(signed(correlationid="Euro €"))
    assert batched.headers["Idempotency-Replayed"] == "true"


async def test_a_warning_is_in_the_receipt(registered_service: Service):
    ended = {"date": "2025-07-17", "ground": "consent"}
    response = await registered_service.post(event("terminated", "terminated", ended))
    assert response.status_code == 201, response.text
    (warning,) = response.json()["warnings"]
    assert warning["code"] == "termination-without-entry-into-force"
    again = await registered_service.post(event("terminated", "terminated", ended))
    assert again.json()["warnings"] == []


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b"", ""),
        (b"{", ""),
        (b"not json", ""),
        (b'{"id":"a","id":"b"}', "/id"),
        (b'{"data":{"n":1.5}}', "/data/n"),
        (b'{"data":{"n":1e3}}', "/data/n"),
        (b'{"data":{"n":-0}}', "/data/n"),
        (b'{"data":{"n":NaN}}', "/data/n"),
        (b'{"data":{"n":9007199254740993}}', "/data/n"),
        (b'{"data":{"n":' + b"9" * 5000 + b"}}", "/data/n"),
        (rb'{"id":"\u0000"}', "/id"),
        (rb'{"id":"\ud800"}', "/id"),
        (b'{"id":"\xff"}', ""),
        (b'\xef\xbb\xbf{"id":"a"}', ""),
        (b"[" * 3000, ""),
        (b'{"data":' * 40 + b"1" + b"}" * 40, "/data" * 32),
        (b"{} trailing", ""),
    ],
)
async def test_a_body_that_is_not_strict_json_is_a_400_with_its_place(
    service: Service, raw: bytes, pointer: str
):
    assert places(await service.send(raw), 400, "malformed") == [pointer]


async def test_the_pointer_into_a_malformed_batch_begins_with_the_index(service: Service):
    raw = json.dumps([registered(), signed()]).replace("2025-07-16", "\\u0000").encode()
    assert places(await service.send(raw, "application/cloudevents-batch+json"), 400, "malformed") == [
        "/1/data/occurred"
    ]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/cloudevents+xml",
        "application/cloudevents+json; charset=latin-1",
        "application/cloudevents+json; version=2",
        "application/cloudevents",
        "multipart/form-data; boundary=x",
        "nonsense",
    ],
)
async def test_any_other_media_type_is_a_415(service: Service, content_type: str):
    problem(await service.send(b"{}", content_type), 415, "unsupported-media-type")


async def test_plain_json_without_attributes_is_told_which_media_type_it_should_have(service: Service):
    said = problem(
        await service.send(json.dumps(registered()).encode(), "application/json"),
        415,
        "unsupported-media-type",
    )
    assert "application/cloudevents+json" in said["detail"]


async def test_a_compressed_body_is_a_415(service: Service):
    problem(await service.send(b"{}", content_encoding="gzip"), 415, "unsupported-media-type")
    assert (
        await service.send(json.dumps(registered()).encode(), content_encoding="identity")
    ).status_code == 201


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject", "data"])
async def test_a_missing_attribute_is_a_422(service: Service, name: str):
    posted = registered()
    del posted[name]
    assert places(await service.post(posted)) == [f"/{name}"]


async def test_a_missing_header_in_binary_mode_is_a_422(service: Service):
    headers = {name: value for name, value in BINARY.items() if name != "ce-subject"}
    assert places(await service.send(b"{}", "application/json", **headers))[0] == "/subject"


async def test_a_badly_encoded_header_is_a_400(service: Service):
    response = await service.send(b"{}", "application/json", **BINARY, **{"ce-correlationid": "%C0%A0"})
    assert places(response, 400, "malformed") == ["/correlationid"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"type": "agreement.unheard-of.v1"}, "/type"),
        ({"type": "agreement.personal-data-erased.v1"}, "/type"),
        ({"subject": "Not An Id"}, "/subject"),
        ({"source": "mailto:clerk@office.example"}, "/source"),
        ({"time": "yesterday"}, "/time"),
        ({"leafhash": "00"}, "/leafhash"),
        ({"data_base64": "e30="}, "/data_base64"),
        ({"my-extension": "x"}, "/my-extension"),
        ({"nested": {}}, "/nested"),
    ],
)
async def test_an_attribute_that_is_not_permitted_is_a_422(
    service: Service, change: dict[str, Any], pointer: str
):
    assert places(await service.post(registered() | change))[0] == pointer


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"occurred": "2025-7-16"}, "/data/occurred"),
        ({"occurred": "2025-02-30"}, "/data/occurred"),
        ({"occurred": "yesterday"}, "/data/occurred"),
        ({"occurred": 2025}, "/data/occurred"),
        ({"occurred": None}, "/data/occurred"),
        ({"signatures": [{"party": "PAK"}]}, "/data/signatures/0/party"),
        ({"signatures": [{"party": "pak", "actor": {}}]}, "/data/signatures/0/actor"),
        ({"unheard_of": 1}, "/data/unheard_of"),
    ],
)
async def test_data_that_is_not_valid_is_a_422_with_its_place(
    service: Service, data: dict[str, Any], pointer: str
):
    posted = signed()
    posted["data"] |= data
    assert places(await service.post(posted)) == [pointer]


async def test_three_parties_are_a_422(service: Service):
    posted = registered()
    posted["data"]["parties"] = [
        *posted["data"]["parties"],
        {"id": "usa", "kind": "state", "name": {"en": "USA"}},
    ]
    assert places(await service.post(posted)) == ["/data/parties"]


async def test_one_bad_event_of_a_batch_is_named_and_nothing_is_recorded(service: Service):
    bad = planned("visit-2")
    bad["data"]["kind"] = "holiday"
    response = await service.batch(registered(), planned("visit-1"), "no event", bad)
    assert places(response) == ["/2", "/3/data/kind"]
    assert await size_of(service) == 0


async def test_a_batch_is_an_array(service: Service):
    assert places(await service.send(b"{}", "application/cloudevents-batch+json")) == [""]


async def test_a_batch_with_a_thousand_flaws_is_not_answered_with_all_of_them(service: Service):
    assert len(places(await service.batch(*[{"x": 1}] * 100))) == 100


async def test_an_event_with_a_thousand_flaws_is_not_answered_with_all_of_them(service: Service):
    strange = {f"not-permitted-{number}": "x" for number in range(1000)}
    answered = await service.post(registered() | strange)
    assert len(problem(answered, 422, "invalid-event")["errors"]) == 100


async def test_a_large_batch_is_recorded_like_a_small_one(service: Service):
    visits = [planned(f"visit-{i}", correlationid="x" * 400) for i in range(200)]
    response = await service.batch(registered(), *visits)
    assert response.status_code == 201
    assert len(response.json()) == 201


@pytest.mark.parametrize(
    "body", [b'{"a":[%b]}' % b",".join([b"1.5"] * 5000), b'{"a":%b1.5}' % (b" " * 70_000)]
)
async def test_an_event_that_takes_long_to_read_is_refused_like_another(service: Service, body: bytes):
    asked = {"Content-Type": "application/cloudevents+json"}
    answered = await service.client.post("/events", content=body, headers=asked)
    assert "fraction" in problem(answered, 400, "malformed")["errors"][0]["detail"]


async def test_nothing_keeps_an_error_and_with_it_the_body(service: Service, monkeypatch: pytest.MonkeyPatch):
    kept: list[weakref.ref[Malformed]] = []

    class Noted(Malformed):
        def __init__(self) -> None:
            super().__init__("cannot be read", [])
            kept.append(weakref.ref(self))

    async def reading(*_: Any) -> bytes:
        raise Noted

    monkeypatch.setattr(posting, "read_body", reading)
    gc.disable()
    try:
        problem(await service.post(registered()), 400, "malformed")
        assert [each() for each in kept] == [None]
    finally:
        gc.enable()


async def test_what_decide_rejects_is_a_409_with_rule_and_positions(registered_service: Service):
    await registered_service.post(signed())
    said = problem(await registered_service.post(signed("signed-2")), 409, "rejected")
    assert said["rule"] == "already-claimed"
    assert said["positions"] == [2]
    assert await size_of(registered_service) == 2


async def test_an_unknown_agreement_is_rejected(service: Service):
    assert problem(await service.post(signed()), 409, "rejected")["rule"] == "unknown-agreement"


async def test_a_party_that_is_none_is_rejected_with_its_place(registered_service: Service):
    posted = signed()
    posted["data"]["signatures"] = [{"party": "usa"}]
    said = problem(await registered_service.post(posted), 409, "rejected")
    assert [fault["pointer"] for fault in said["errors"]] == ["/data/signatures/0/party"]


async def test_what_decide_rejects_in_a_batch_is_named_and_nothing_is_recorded(service: Service):
    response = await service.batch(registered(), signed(), signed("signed-2"))
    said = problem(response, 409, "rejected")
    assert said["errors"][0]["pointer"].startswith("/2")
    assert said["detail"].startswith("event 2 of the batch")
    assert await size_of(service) == 0


async def test_a_place_in_an_event_of_a_batch_is_led_by_its_index(service: Service):
    posted = signed()
    posted["data"]["signatures"] = [{"party": "usa"}]
    said = problem(await service.batch(registered(), posted), 409, "rejected")
    assert [fault["pointer"] for fault in said["errors"]] == ["/1/data/signatures/0/party"]


async def test_the_same_identity_with_other_content_is_a_409(service_on_any: Service):
    await service_on_any.post(registered())
    said = problem(await service_on_any.post(registered(correlationid="other")), 409, "identity-taken")
    assert said["positions"] == [1]
    said = problem(await service_on_any.batch(registered(correlationid="other")), 409, "identity-taken")
    assert said["errors"] == [{"pointer": "/0", "detail": said["errors"][0]["detail"]}]


@pytest.mark.parametrize("tag", ['"v1"', '"v1.0123abcd"', ' "v1" '])
async def test_if_match_names_the_version_the_agreement_must_have(registered_service: Service, tag: str):
    response = await registered_service.post(signed(), If_Match=tag)
    assert response.status_code == 201
    assert response.headers["ETag"] == '"v2"'


async def test_a_stale_version_is_a_412_with_the_current_one(service_on_any: Service):
    await service_on_any.batch(registered(), planned("visit-1"))
    said = problem(await service_on_any.post(signed(), If_Match='"v1"'), 412, "version-mismatch")
    assert said["current_version"] == 2
    said = problem(await service_on_any.post(signed(expectedversion=1)), 412, "version-mismatch")
    assert said["current_version"] == 2
    assert await size_of(service_on_any) == 2


async def test_an_agreement_that_must_not_exist_yet(service: Service):
    assert (await service.post(registered(), If_None_Match="*")).status_code == 201
    other = registered("other", source="https://other.example/")
    assert (
        problem(await service.post(other, If_None_Match="*"), 412, "version-mismatch")["current_version"] == 1
    )


async def test_a_replay_comes_before_the_precondition(registered_service: Service):
    assert (await registered_service.post(registered(), If_None_Match="*")).status_code == 200
    assert (await registered_service.post(registered(), If_Match='"v99"')).status_code == 200


async def test_the_expected_version_of_an_event_in_a_batch_sees_those_before_it(service: Service):
    assert (await service.batch(registered(expectedversion=0), signed(expectedversion=1))).status_code == 201
    said = problem(await service.batch(planned("visit-1", expectedversion=1)), 412, "version-mismatch")
    assert said["errors"][0]["pointer"] == "/0"
    assert said["current_version"] == 2


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"If_Match": "v1"}, "If-Match"),
        ({"If_Match": '"1"'}, "If-Match"),
        ({"If_Match": 'W/"v1"'}, "If-Match"),
        ({"If_Match": "*"}, "If-Match"),
        ({"If_Match": '"v1", "v2"'}, "If-Match"),
        ({"If_None_Match": '"v1"'}, "If-None-Match"),
        ({"If_Match": '"v1"', "If_None_Match": "*"}, "If-None-Match"),
    ],
)
async def test_a_precondition_that_cannot_be_acted_on_is_a_400(
    service: Service, headers: dict[str, str], name: str
):
    said = problem(await service.post(registered(), **headers), 400, "malformed")
    assert said["errors"][0]["header"] == name


@pytest.mark.parametrize("headers", [{"If_Match": '"v1"'}, {"If_None_Match": "*"}])
async def test_a_batch_takes_no_precondition_in_a_header(service: Service, headers: dict[str, str]):
    problem(await service.batch(registered(), **headers), 400, "malformed")


async def test_a_query_parameter_is_a_400(service: Service):
    response = await service.client.post("/events?dry_run=1", json=registered())
    assert problem(response, 400, "malformed")["errors"][0]["parameter"] == "dry_run"


async def test_an_event_over_the_limit_is_a_413(sqlite_url: str):
    async with serving(sqlite_url, max_event_bytes=1024, max_batch_bytes=8192) as service:
        assert (await service.post(registered())).status_code == 201
        problem(await service.post(planned("visit-1", correlationid="x" * 1024)), 413, "too-large")
        large = planned("visit-2", correlationid="x" * 1024)
        said = problem(await service.batch(planned("visit-3"), large), 413, "too-large")
        assert "event 1 of the batch" in said["detail"]
        problem(await service.batch(*[planned(f"v-{i}") for i in range(100)]), 413, "too-large")
        assert (await service.batch(*[planned(f"v-{i}") for i in range(20)])).status_code == 201


async def test_a_batch_of_too_many_events_is_a_413(sqlite_url: str):
    async with serving(sqlite_url, max_batch_events=3) as service:
        problem(await service.batch(registered(), *[planned(f"v-{i}") for i in range(3)]), 413, "too-large")
        assert await size_of(service) == 0


async def chunks(*pieces: bytes) -> Any:
    for piece in pieces:
        yield piece


async def test_a_body_in_chunks_is_put_together(service: Service):
    raw = json.dumps(registered()).encode()
    response = await service.client.post(
        "/events",
        content=chunks(raw[:10], raw[10:]),
        headers={"Content-Type": "application/cloudevents+json"},
    )
    assert response.status_code == 201


async def test_a_body_in_chunks_is_read_no_further_than_the_limit(sqlite_url: str):
    taken = 0

    async def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 512

    async with serving(sqlite_url, max_event_bytes=1024) as service:
        response = await service.client.post(
            "/events", content=endless(), headers={"Content-Type": "application/cloudevents+json"}
        )
    problem(response, 413, "too-large")
    assert taken <= 4


async def test_a_client_that_goes_away_before_its_body_is_there_records_nothing(service: Service):
    sent: list[Any] = []
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/events",
        "raw_path": b"/events",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/cloudevents+json")],
        "http_version": "1.1",
        "scheme": "http",
        "client": None,
        "server": ("registry.test", 80),
        "extensions": {},
        "state": {},
    }
    await service.app(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 400
    assert await size_of(service) == 0


async def test_a_full_queue_is_a_503_that_says_when_to_come_back(sqlite_url: str):
    async with serving(sqlite_url, queue_events=5) as service:
        await service.post(registered())
        batches = [[planned(f"b{n}-v{i}") for i in range(4)] for n in range(8)]
        responses = await asyncio.gather(*(service.batch(*batch) for batch in batches))
        refused = [response for response in responses if response.status_code != 201]
        assert 0 < len(refused) < 8
        for response in refused:
            problem(response, 503, "unavailable")
            assert int(response.headers["Retry-After"]) >= 1
        accepted = [
            receipt for response in responses if response.status_code == 201 for receipt in response.json()
        ]
        assert await size_of(service) == 1 + len(accepted)


async def test_a_database_that_is_gone_is_a_503(registered_service: Service, monkeypatch: pytest.MonkeyPatch):
    async def gone(*_: Any, **__: Any) -> Any:
        raise Unavailable("the database cannot be reached")

    monkeypatch.setattr(registered_service.app.state.sequencer, "append", gone)
    response = await registered_service.post(signed())
    problem(response, 503, "unavailable")
    assert response.headers["Retry-After"] == "1"
