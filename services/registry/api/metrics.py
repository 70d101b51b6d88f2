"""GET /metrics: what the service does in numbers, for Prometheus and whoever reads its format."""

import asyncio
from collections.abc import Iterator
from typing import Any

from litestar import Response

from registry.errors import Unavailable
from registry.figures import Family, gauge, gauges
from registry.http.answer import Answer, Asked
from registry.http.exposition import TEXT, exposition
from registry.http.parameters import query
from registry.http.process import build_info, process_families
from registry.http.routing import Content, Operation, read
from registry.http.standing import Standing, standing
from registry.http.threads import in_thread

TIMEOUT = 3.0
"""Seconds after which figures of the database are left out: whoever measures waits ten at most."""
MICROSECONDS = 1_000_000


@read(
    "/metrics",
    Operation(
        tag="Operations",
        answers={200: Content("text/plain", {"type": "string"}, "registry_queue_events 0\n")},
        tagged=False,
    ),
)
async def get_metrics(request: Asked) -> Response[Any]:
    """Read what the service does, in numbers

    The text format of Prometheus. Of several processes on one port each tells the figures of all, by the label
    `worker`. While the database does not answer its figures are missing, and `registry_database_up` is 0.
    """
    query(request)
    state = request.app.state
    own = await state.fellows.all()
    shared = await _shared(state)
    return Answer(exposition(own, shared), media_type=TEXT, headers={"Cache-Control": "no-store"})


def own_families(state: Any) -> list[Family]:
    """Give what this process has counted, by the state of its application. Reads nothing."""
    return [
        *state.sequencer.commits.families(state.sequencer.queued),
        *state.requests.families(),
        gauge("registry_streams_open", "Live streams that are open", len(state.streams.open)),
        gauge(
            "registry_access_log_waiting",
            "Accesses that wait to be written down before they are answered",
            state.access_log.waiting,
        ),
        *_pools(state.pools()),
        *_read_only(state),
        *process_families(),
    ]


def _pools(pools: dict[str, tuple[int, int]]) -> Iterator[Family]:
    for place, (name, help) in enumerate(
        (
            ("registry_database_connections", "Connections to the database that are in use, by pool"),
            ("registry_database_connections_max", "Connections that a pool opens at most"),
        )
    ):
        yield gauges(name, help, [((("pool", pool),), numbers[place]) for pool, numbers in pools.items()])


def _read_only(state: Any) -> Iterator[Family]:
    why = state.publisher.why
    yield gauge(
        "registry_read_only",
        "1 while events are refused as the log is behind what was seen of it; the reason is a word that stays",
        int(bool(state.sequencer.read_only)),
        (("reason", why),),
    )
    yield gauge("registry_draining", "1 once the process is to stop", int(state.requests.draining))


async def _shared(state: Any) -> list[Family]:
    """Give what every process of one database would say alike."""
    build = build_info("sqlite" if state.settings.sqlite else "postgresql")
    up = "registry_database_up", "1 while the database answers"
    try:
        async with asyncio.timeout(TIMEOUT):
            now = await in_thread(standing, state)
    except (TimeoutError, Unavailable):
        return [build, gauge(*up, 0)]
    return [build, gauge(*up, 1), *_of_read_models(now), *_of_the_log(now)]


def _of_read_models(now: Standing) -> Iterator[Family]:
    named = [((("read_model", each.name),), each) for each in now.read_models]
    yield gauges(
        "registry_projection_lag_events",
        "Positions of the log that are not in a read model yet",
        [(labels, each.behind) for labels, each in named],
    )
    yield gauges(
        "registry_projection_lag_seconds",
        "For how long the first of these positions has been recorded",
        [(labels, each.seconds) for labels, each in named],
    )
    yield gauges(
        "registry_projection_ready",
        "1 once a read model of this version is built",
        [(labels, int(each.ready)) for labels, each in named],
    )
    yield gauges(
        "registry_parked_streams",
        "Agreements whose rows cannot be made, by read model",
        [(labels, each.parked) for labels, each in named],
    )


def _of_the_log(now: Standing) -> Iterator[Family]:
    lag = now.checkpoint
    yield gauge("registry_log_events", "Events in the log", lag.log_size)
    yield gauge(
        "registry_log_recorded_timestamp_seconds",
        "When the last event was recorded, in seconds since 1970",
        lag.recorded_at / MICROSECONDS,
    )
    yield gauge("registry_checkpoint_events", "Events under the last checkpoint", lag.size)
    yield gauge(
        "registry_checkpoint_lag_seconds",
        "For how long the first event that is under no checkpoint has been recorded",
        lag.seconds,
    )
    yield gauges(
        "registry_witness_lag_events",
        "Events under the last checkpoint that a witness has not cosigned yet",
        [((("witness", name),), max(0, lag.size - size)) for name, size in lag.witnesses.items()],
    )
