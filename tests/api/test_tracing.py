"""Traces: from a posted event to the read models that took it in."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.conftest import AGREEMENT, Service, planned, registered, serving
from registry.http import tracing
from registry.projections.catalogue import CATALOGUE

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is sent to the collector, kept in memory."""
    kept = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "open_tracing", lambda _: tracing.Tracing(SimpleSpanProcessor(kept)))
    return kept


@pytest.fixture
async def traced(database_url: str, exporter: InMemorySpanExporter) -> AsyncIterator[Service]:
    async with serving(database_url, otlp_endpoint="http://collector.test:4318") as service:
        await until(service, "/readyz")
        yield service


async def until(service: Service, url: str) -> None:
    async with asyncio.timeout(30):
        while (await service.get(url)).status_code != 200:
            await asyncio.sleep(0.02)


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_from_the_posted_event_to_its_projections_is_one_trace(
    traced: Service, exporter: InMemorySpanExporter
):
    assert (await traced.post(registered(), traceparent=PARENT)).status_code == 201
    projected: list[ReadableSpan] = []
    async with asyncio.timeout(30):
        while len(projected) < len(CATALOGUE):
            await asyncio.sleep(0.02)
            projected = [s for s in exporter.get_finished_spans() if s.name.startswith("project ")]
    assert {attributes(span)["registry.read_model"] for span in projected} == {m.name for m in CATALOGUE}
    (posted,) = named(exporter, "POST /events")
    for span in (posted, *projected):
        assert span.context is not None
        assert f"{span.context.trace_id:032x}" == TRACE
        assert attributes(span)["registry.position"] == 1
    (commit,) = named(exporter, "commit")
    assert posted.context is not None
    assert [link.context.span_id for link in commit.links] == [posted.context.span_id]
    assert attributes(commit) == {"registry.requests": 1, "registry.events": 1}


async def test_the_span_of_a_request_is_named_by_its_route(traced: Service, exporter: InMemorySpanExporter):
    await traced.get(f"/agreements/{AGREEMENT}?secret=1")
    (span,) = named(exporter, "GET /agreements/{id}")
    assert attributes(span)["http.response.status_code"] == 400
    assert attributes(span)["error.type"] == "malformed"
    assert "secret" not in span.to_json()
    assert AGREEMENT not in span.to_json()


@pytest.mark.parametrize("mode", ["one", "batch"])
async def test_the_header_of_a_request_is_kept_with_the_event(service: Service, mode: str):
    own = f"00-{TRACE}-1111111111111111-00"
    await service.post(registered(), traceparent=PARENT)
    post = service.post if mode == "one" else service.batch
    assert (await post(planned("visit", traceparent=own), traceparent=PARENT)).status_code == 201
    assert (await service.get("/events/1")).json()["traceparent"] == PARENT
    assert (await service.get("/events/2")).json()["traceparent"] == own


@pytest.mark.parametrize("header", ["", "00-0-0-0", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{TRACE}-1-01"])
async def test_a_header_that_names_no_trace_is_not_kept(service: Service, header: str):
    assert (await service.post(registered(), traceparent=header)).status_code == 201
    assert "traceparent" not in (await service.get("/events/1")).json()


async def test_posting_again_in_another_trace_is_a_replay(service: Service):
    await service.post(registered(), traceparent=PARENT)
    again = await service.post(registered(), traceparent=PARENT.replace("4bf", "5bf"))
    assert (again.status_code, again.json()["replayed"]) == (200, True)


def test_nothing_of_it_is_imported_unless_it_is_asked_for():
    program = "import sys, registry.app; sys.exit(any(m.startswith('opentelemetry') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_a_collector_that_is_not_there_holds_up_no_end(sqlite_url: str):
    async with asyncio.timeout(10), serving(sqlite_url, otlp_endpoint="http://127.0.0.1:9") as service:
        assert (await service.post(registered(), traceparent=PARENT)).status_code == 201
