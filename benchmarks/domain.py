"""What an event costs in the process, step by step, on its way from the body of a request to the insert."""

import itertools
import time
from collections.abc import Callable, Iterable

import msgspec

from benchmarks import decide as decide_on_twenty
from benchmarks.events import STORY, stories
from benchmarks.figures import Cost
from registry.domain import cloudevents, strict_json
from registry.domain.agreement import Agreement, evolve
from registry.domain.codec import split
from registry.domain.decide import decide
from registry.domain.envelope import Posted, Recorded
from registry.store.head import Head
from registry.store.seal import Draft, seal

AGREEMENTS = 100
REPETITIONS = 7
PRINCIPAL = "3d3c7f2e-8a55-4d55-9b0a-9f0f5a3b7c33"
BATCH = 100


def domain_costs() -> list[Cost]:
    """Time every step on the same events as are posted over HTTP."""
    envelopes = [event for story in itertools.islice(stories("domain"), AGREEMENTS) for event in story]
    bodies = [msgspec.json.encode(envelope) for envelope in envelopes]
    posted = [cloudevents.posted(envelope) for envelope in envelopes]
    return [
        _cost("read strict JSON", strict_json.decode, bodies),
        _cost("check the envelope and type the data", cloudevents.posted, envelopes),
        _cost("split into parts", _split, posted),
        _cost("decide and fold, agreements from their founding on", _decide, _streams(posted), STORY),
        Cost("decide and fold, on an agreement of 20 events", decide_on_twenty.measure()[-1].both),
        _cost(f"seal in groups of {BATCH}: commitments, entry, leaf, tree", _seal, _groups(posted), BATCH),
    ]


def _split(event: Posted) -> tuple[bytes, ...]:
    return split(event.type, event.body, event.attrs, PRINCIPAL)


def _streams(posted: list[Posted]) -> list[tuple[list[Posted], list[Recorded]]]:
    recorded = [
        Recorded(
            position=position,
            version=(position - 1) % STORY + 1,
            recorded_at=0,
            source=event.source,
            id=event.id,
            type=event.type,
            subject=event.subject,
            data=event.data,
        )
        for position, event in enumerate(posted, 1)
    ]
    return [(posted[i : i + STORY], recorded[i : i + STORY]) for i in range(0, len(posted), STORY)]


def _decide(stream: tuple[list[Posted], list[Recorded]]) -> None:
    state: Agreement | None = None
    for event, recorded in zip(*stream, strict=True):
        decide(state, event)
        state = evolve(state and state.copy(), recorded)


def _groups(posted: list[Posted]) -> list[list[Draft]]:
    drafts = [Draft(event.source, event.id, event.subject, 1, event.type, _split(event)) for event in posted]
    return [drafts[i : i + BATCH] for i in range(0, len(drafts), BATCH)]


def _seal(drafts: list[Draft]) -> None:
    seal(Head("bench.example/log", 0, (), 0), drafts, 0)


def _cost(step: str, function: Callable[..., object], inputs: Iterable[object], events: int = 1) -> Cost:
    """Time a function over all inputs, each of so many events, several times; take the best."""
    given = list(inputs)
    best = float("inf")
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        for value in given:
            function(value)
        best = min(best, time.perf_counter() - start)
    return Cost(step, best / len(given) / events * 1e6)
