"""GET /metrics: what the service does in numbers."""

import asyncio
import re

import pytest

from api.conftest import Service, planned, problem, registered, serving
from api.guarded import guarding
from registry.access import ADMIN, AGREEMENTS_READ
from registry.api import metrics
from registry.errors import Unavailable
from registry.projections.catalogue import CATALOGUE

LINE = re.compile(r'([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.e+-]+|\+Inf)')


async def measured(service: Service, **headers: str) -> dict[str, float]:
    """Read the metrics, each line by its name and labels, and see that the format is kept."""
    response = await service.get("/metrics", headers=headers)
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found, families = {}, []
    for line in response.text.splitlines():
        if line.startswith("#"):
            if line.startswith("# TYPE"):
                families.append(line.split()[2])
            continue
        match = LINE.fullmatch(line)
        assert match, line
        assert re.sub("_(bucket|sum|count)$", "", match[1]) == families[-1] or match[1] == families[-1]
        found[match[1] + (match[2] or "")] = float(match[3])
    assert len(set(families)) == len(families)
    return found


async def test_what_is_appended_is_counted(service_on_any: Service):
    service = service_on_any
    await service.post(registered())
    await service.post(planned("visit"))
    await service.post(planned("visit"))
    await service.post(registered("again"))
    await service.get("/nothing/here")
    found = await measured(service)
    assert found["registry_events_appended_total"] == found["registry_log_events"] == 2
    assert found["registry_events_replayed_total"] == found["registry_appends_refused_total"] == 1
    assert found["registry_append_seconds_count"] == found['registry_append_seconds_bucket{le="+Inf"}'] == 4
    assert found["registry_commit_events_sum"] == 2
    assert found['registry_http_requests_total{method="POST",route="/events",status="2xx"}'] == 3
    assert found['registry_http_requests_total{method="GET",route="none",status="4xx"}'] == 1
    assert found['registry_http_request_seconds_count{method="POST",route="/events"}'] == 4
    assert sum(v for k, v in found.items() if k.startswith('registry_problems_total{kind="rejected"')) == 1
    assert found["registry_queue_events"] == found["registry_streams_open"] == 0
    assert found['registry_read_only{reason=""}'] == found["registry_draining"] == 0
    assert found["process_resident_memory_bytes"] > 1 << 20
    assert found["registry_database_up"] == 1


async def test_every_read_model_is_there_with_its_lag(service: Service):
    found = await measured(service)
    for model in CATALOGUE:
        for name in ("lag_events", "lag_seconds", "ready"):
            assert f'registry_projection_{name}{{read_model="{model.name}"}}' in found
        assert found[f'registry_parked_streams{{read_model="{model.name}"}}'] == 0


async def test_a_log_that_is_behind_says_so_with_a_word(service: Service):
    service.app.state.sequencer.read_only = "the kept checkpoint is of 9 events"
    service.app.state.publisher.why = "behind"
    families = {family.name: family for family in metrics.own_families(service.app.state)}
    (sample,) = families["registry_read_only"].samples
    assert (sample.value, sample.labels) == (1, (("reason", "behind"),))


async def test_without_the_database_the_rest_is_told(service: Service, monkeypatch: pytest.MonkeyPatch):
    def gone() -> None:
        raise Unavailable("the database cannot be reached")

    monkeypatch.setattr(service.app.state.reader, "revision", gone)
    found = await measured(service)
    assert found["registry_database_up"] == 0
    assert "registry_log_events" not in found
    assert "registry_queue_events" in found


async def test_only_administrators_read_it_unless_it_is_opened(sqlite_url: str):
    async with guarding(sqlite_url) as service:
        problem(await service.get("/metrics"), 401, "unauthenticated")
        reader = service.holder(AGREEMENTS_READ)
        problem(await service.get("/metrics", headers=reader), 403, "forbidden")
        await measured(service, **service.holder(ADMIN))
    async with guarding(sqlite_url, metrics_open=True) as service:
        await measured(service)
        await measured(service, **reader)
        problem(await service.get("/keys", headers=reader), 403, "forbidden")


@pytest.mark.postgres
async def test_whichever_process_is_asked_tells_the_figures_of_all(postgres_url: str, tmp_path, monkeypatch):
    monkeypatch.setattr("registry.http.fellows.os.getpid", lambda: 11)
    async with serving(postgres_url, metrics_directory=str(tmp_path)) as one:
        monkeypatch.setattr("registry.http.fellows.os.getpid", lambda: 22)
        async with serving(postgres_url, metrics_directory=str(tmp_path)) as two:
            await one.post(registered())
            await two.post(planned("visit"))
            await two.post(planned("other"))
            for service in (one, two):
                found = await measured(service)
                assert found['registry_events_appended_total{worker="11"}'] == 1
                assert found['registry_events_appended_total{worker="22"}'] == 2
                assert found["registry_log_events"] == 3
        (tmp_path / "33.metrics").write_text("no socket")
        found = await measured(one)
        assert {label for name in found for label in re.findall('worker="([0-9]+)"', name)} == {"11"}
    assert not list(tmp_path.glob("[12]*"))
    await asyncio.sleep(0)
