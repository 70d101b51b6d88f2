"""The description of the streams: complete, well formed, and true of what is sent."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from api.conftest import planned, registered, serving, signed
from contracts.conftest import Flaws, Schema, checker
from registry.api.asyncapi import document
from registry.domain.events import EVENT_TYPES


@pytest.fixture(scope="module")
def asyncapi() -> Schema:
    read: Schema = json.loads(json.dumps(document()))
    return read


@pytest.fixture(scope="module")
def flaws_of_message(asyncapi: Schema) -> Flaws:
    return checker(asyncapi)


def inside(value: Any) -> Iterator[Schema]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from inside(each)
    elif isinstance(value, list):
        for each in value:
            yield from inside(each)


def test_what_version_3_requires_is_there_and_nothing_unknown(asyncapi: Schema):
    assert asyncapi["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= asyncapi["info"].keys()
    assert asyncapi.keys() <= {
        "asyncapi",
        "info",
        "defaultContentType",
        "servers",
        "channels",
        "operations",
        "components",
    }
    assert all({"host", "protocol"} <= server.keys() for server in asyncapi["servers"].values())
    for operation in asyncapi["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"]["$ref"].startswith("#/channels/")


def test_every_reference_leads_somewhere(asyncapi: Schema):
    for part in inside(asyncapi):
        if isinstance(ref := part.get("$ref"), str) and ref.startswith("#"):
            found: Any = asyncapi
            for token in ref[2:].split("/"):
                found = found[token]


def test_an_operation_receives_messages_of_its_own_channel_alone(asyncapi: Schema):
    for operation in asyncapi["operations"].values():
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])


def test_both_streams_have_a_message_for_every_event_type(asyncapi: Schema):
    assert set(asyncapi["channels"]) == {"live", "history"}
    for channel in asyncapi["channels"].values():
        assert channel["address"] == "/events"
        assert set(channel["messages"]) == set(EVENT_TYPES)


def test_every_example_is_a_message(asyncapi: Schema, flaws_of_message: Flaws):
    for message in asyncapi["components"]["messages"].values():
        for example in message["examples"]:
            assert flaws_of_message(message["payload"], example["payload"]) == []


def test_parameters_are_those_of_streams_and_not_of_pages(asyncapi: Schema):
    query = {
        name: set(operation["bindings"]["http"]["query"]["properties"])
        for name, operation in asyncapi["operations"].items()
    }
    assert query["receive-history"] == {"after", "type", "agreement", "min_position"}
    assert query["receive-live"] == query["receive-history"] | {"party"}


def test_only_what_may_be_erased_may_be_missing(asyncapi: Schema, flaws_of_message: Flaws):
    messages = deepcopy(asyncapi["components"]["messages"])
    erased = messages["agreement.signed.v1"]["examples"][0]["payload"]
    erased["data"]["signatures"][0]["capacity"] = {"$part": 1}
    assert flaws_of_message(messages["agreement.signed.v1"]["payload"], erased) == []
    changed = messages["agreement.ratified.v1"]["examples"][0]["payload"]
    changed["data"]["party"] = {"$part": 1}
    assert flaws_of_message(messages["agreement.ratified.v1"]["payload"], changed)


async def test_what_is_sent_is_what_is_described(sqlite_url: str, asyncapi: Schema, flaws_of_message: Flaws):
    async with serving(sqlite_url) as service:
        assert (await service.batch(registered(), signed(), planned("visit-1"))).status_code == 201
        response = await service.get("/events", headers={"Accept": "application/x-ndjson"})
        events = [json.loads(line) for line in response.text.splitlines()]
        assert len(events) == 3
        for event in events:
            payload = asyncapi["components"]["messages"][event["type"]]["payload"]
            assert flaws_of_message(payload, event) == []


async def test_the_description_is_served_to_anybody(sqlite_url: str, asyncapi: Schema):
    async with serving(sqlite_url, auth="on") as service:
        response = await service.get("/asyncapi.json")
        assert (response.status_code, response.json()) == (200, asyncapi)
        again = await service.get("/asyncapi.json", headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code == 304
