"""Making rows: from the states of agreements to what one transaction is about to write, without any database."""

import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec

from registry.domain.agreement import Agreement, fold
from registry.projections.model import ReadModel, Rows
from registry.projections.packing import Packed, pack
from registry.store.rows import EventPart, by_stream

log = logging.getLogger(__name__)

Ease = Callable[[], None]
"""Called between two agreements: lets others have the interpreter for a moment."""


class Made(msgspec.Struct, frozen=True):
    """What a step is about to write for one read model."""

    packed: Packed
    states: dict[str, int]
    """The position of the state from which each agreement's rows were made."""
    failed: dict[str, str]
    """Agreements whose rows could not be made, with the kind of error."""


def make(
    model: ReadModel,
    dialect: str,
    states: Mapping[str, Agreement],
    after: int,
    ease: Ease = lambda: None,
) -> Made:
    """Make the rows of some agreements, whose events up to position ``after`` are in the rows already."""
    rows: dict[str, Rows] = {}
    made: dict[str, int] = {}
    failed: dict[str, str] = {}
    new: set[str] = set()
    for stream, state in sorted(states.items()):
        try:
            rows[stream] = model.rows(state)
            made[stream] = state.position
            if state.recorded[state.founder].position > after:
                new.add(stream)
        except Exception as error:  # whatever it is, it must not stop the other agreements
            log.exception("the rows of %s in %s cannot be made", stream, model.name)
            failed[stream] = type(error).__name__
        ease()
    # The tables of all generations have the same columns.
    return Made(pack(model.tables(0, dialect), dialect, rows, new), made, failed)


def make_from(
    parts: Sequence[EventPart], models: Sequence[ReadModel], dialect: str, after: int
) -> list[Made]:
    """Make the rows of several models from all events of some agreements: a function of nothing but these."""
    states: dict[str, Agreement] = {}
    for stream, events in by_stream(parts).items():
        state = fold(None, events)
        if state is not None:
            states[stream] = state
    return [make(model, dialect, states, after) for model in models]
