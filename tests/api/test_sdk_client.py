"""The official CloudEvents SDK as a client: what it sends is taken, what comes back it understands."""

from datetime import UTC, datetime

import httpx
from cloudevents.core.bindings import http as sdk
from cloudevents.core.v1.event import CloudEvent

from api.conftest import AGREEMENT, SOURCE, Service, registered, signed


def cloud_event(event: dict, **attributes: object) -> CloudEvent:
    given = {name: value for name, value in event.items() if name != "data"}
    return CloudEvent(
        given
        | {"datacontenttype": "application/json", "time": datetime(2025, 7, 17, 10, tzinfo=UTC)}
        | attributes,
        event["data"],
    )


async def send(service: Service, message: sdk.HTTPMessage) -> httpx.Response:
    return await service.client.post("/events", content=message.body, headers=message.headers)


async def test_a_service_posts_with_the_sdk_and_an_auditor_reads_with_it(service_on_any: Service):
    structured = await send(service_on_any, sdk.to_structured_event(cloud_event(registered())))
    assert structured.status_code == 201, structured.text
    binary = await send(
        service_on_any, sdk.to_binary_event(cloud_event(signed(), correlationid="Euro € 100%"))
    )
    assert binary.status_code == 201, binary.text

    response = await service_on_any.get(binary.headers["Location"])
    read = sdk.from_http_event(sdk.HTTPMessage(dict(response.headers), response.content))
    assert read.get_id() == "signed"
    assert read.get_source() == SOURCE
    assert read.get_subject() == AGREEMENT
    assert read.get_data() == signed()["data"]
    assert read.get_time() == datetime(2025, 7, 17, 10, tzinfo=UTC)
    assert read.get_extension("correlationid") == "Euro € 100%"
    assert read.get_extension("sequence") == "0000000000000000002"
    assert read.get_extension("agreementversion") == 2


async def test_the_sdk_may_change_its_mode_when_it_tries_again(service: Service):
    event = cloud_event(registered(), correlationid="Euro € 100%")
    first = await send(service, sdk.to_binary_event(event))
    again = await send(service, sdk.to_structured_event(event))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
