"""What it costs to decide on one more event of an agreement of 20, and to fold it: `python -m benchmarks.decide`."""

import gc
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean
from typing import Any, NamedTuple

from registry.domain.agreement import Agreement, evolve
from registry.domain.codec import owners_of, typed
from registry.domain.decide import decide
from registry.domain.envelope import Posted, Recorded

AIM = 15.0
"""Microseconds of CPU for an event of the usual kinds."""
BATCH = 200
REPETITIONS = 40
A, B = "https://a.example/", "https://b.example/"
PERSON = {"person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "name": "Ada Sample"}
PARTIES = [{"id": name, "kind": "state", "name": {"en": name}} for name in ("pak", "slv")]
SIGNATURES = [{"party": "pak", "actor": {"person": PERSON}, "capacity": "Minister"}, {"party": "slv"}]

PAST: list[tuple[str, dict[str, Any]]] = [
    ("registered", {"title": {"en": "Letter of Intent"}, "parties": PARTIES}),
    ("classified", {"kind": "loi", "legal_character": "non-binding"}),
    ("signed", {"signatures": SIGNATURES, "occurred": "2025-07-16"}),
    ("term-set", {"end": "2030-12-31", "auto_renew": True, "renew_for": "P1Y", "notice": "P6M"}),
    *(
        ("engagement-held", {"engagement_id": f"visit-{n}", "kind": "visit", "start": "2025-07-16"})
        for n in range(16)
    ),
]
NEWS: list[tuple[str, dict[str, Any]]] = [
    ("ratified", {"party": "pak", "form": "ratification", "occurred": "2025-09-01"}),
    ("entered-into-force", {"date": "2025-10-01"}),
    ("signed", {"signatures": [{"party": "pak"}, {"party": "slv"}], "occurred": "2025-07-16"}),
    ("signed", {"signatures": SIGNATURES, "occurred": "2025-07-16"}),
    ("engagement-held", {"engagement_id": "visit-x", "kind": "visit", "start": "2025-08-01"}),
    ("follow-up-scheduled", {"follow_up_id": "plan", "text": {"en": "Plan"}, "due": "2025-12"}),
    ("fact-recorded", {"fact_id": "reserve", "about": "slv", "predicate": "has a reserve", "truth": True}),
    ("cooperation-area-added", {"area_id": "health", "label": {"en": "health"}, "state": "agreed"}),
]


class Kind(NamedTuple):
    """What an event of one kind costs, in microseconds of CPU."""

    name: str
    decide: float
    evolve: float

    @property
    def both(self) -> float:
        return self.decide + self.evolve


def measure() -> list[Kind]:
    """Time every kind of event on an agreement of 20; the last one is the mean of all."""
    state: Agreement | None = None
    for position, (name, data) in enumerate(PAST, start=1):
        state = evolve(state, _recorded(_posted(name, data, A, position), position))
    assert state is not None
    kinds = []
    for name, data in NEWS:
        posted = _posted(name, data, B, len(PAST) + 1)
        recorded = _recorded(posted, len(PAST) + 1)
        persons = " by a person" if posted.personal else ""
        one = _best(partial(decide, event=posted), state)
        other = _best(partial(evolve, event=recorded), state)
        kinds.append(Kind(name + persons, one, other))
    mean = Kind("mean", fmean(kind.decide for kind in kinds), fmean(kind.evolve for kind in kinds))
    return [*kinds, mean]


def main() -> None:
    """Print the figure for each kind of event, and for all of them together."""
    print(f"agreement of {len(PAST)} events, best of {REPETITIONS} runs, microseconds of CPU an event")
    for kind in measure():
        print(f"{kind.name:30} decide {kind.decide:5.1f}  evolve {kind.evolve:5.1f}  both {kind.both:5.1f}")
    print(f"the aim is {AIM:.0f}")


def _posted(name: str, data: dict[str, Any], source: str, number: int) -> Posted:
    kind = f"agreement.{name}.v1"
    return Posted(
        source=source,
        id=f"e{number}",
        type=kind,
        subject="pak-slv-2025",
        body=data,
        data=typed(kind, data),
        personal=owners_of(kind, data),
    )


def _recorded(event: Posted, position: int) -> Recorded:
    return Recorded(
        position=position,
        version=position,
        recorded_at=position,
        source=event.source,
        id=event.id,
        type=event.type,
        subject=event.subject,
        data=event.data,
    )


def _best(step: Callable[[Agreement], object], state: Agreement) -> float:
    """Time a step on fresh drafts of a state; collecting garbage is nobody's cost here."""
    best = float("inf")
    for _ in range(REPETITIONS):
        drafts: Sequence[Agreement] = [state.copy() for _ in range(BATCH)]
        gc.disable()
        start = time.process_time_ns()
        for draft in drafts:
            step(draft)
        best = min(best, (time.process_time_ns() - start) / BATCH / 1000)
        gc.enable()
    return best


if __name__ == "__main__":
    main()
