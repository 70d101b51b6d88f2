"""The two axes of time of a read of one agreement: the day it is about, and what was known."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from registry.access import Sight
from registry.domain.agreement import Agreement, fold
from registry.domain.attributes import subject_flaw, time_flaw
from registry.domain.values import AGREEMENT_ID_PATTERN
from registry.domain.visibility import is_restricted
from registry.domain.withholding import without_personal_values
from registry.errors import NotFound
from registry.http.answer import Asked
from registry.http.parameters import BadParameter, number
from registry.http.routing import Parameter
from registry.store.reader import Reader

EXAMPLE = "pak-slv-2025-digital-assets"
ID = Parameter(
    "id",
    "The id of the agreement",
    {"type": "string", "pattern": AGREEMENT_ID_PATTERN},
    required=True,
    where="path",
    example=EXAMPLE,
)
KNOWN_AS_OF = Parameter(
    "known_as_of",
    "Answer with what the registry knew then: a position, or a time (RFC 3339; write its `+` as `%2B`). The "
    "header `Registry-Position` says which position a time stands for.",
    {"type": "string", "minLength": 1},
)
VALID_AS_OF = Parameter(
    "valid_as_of",
    "The day that decides status and whatever else depends on one; by default today in UTC",
    {"type": "string", "format": "date"},
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Known(NamedTuple):
    """One agreement as it was known."""

    state: Agreement
    """What whoever asks may see of it."""
    now: Agreement
    """As it is known today, in the same sight: who may read it is never a question of the past."""
    position: int
    """Up to which the log was read; of an event that exists for whoever asks."""
    whole: Agreement
    """As it is known today, with all there is in it: what tells one state from another."""


def agreement_id(request: Asked) -> str:
    """Take the id out of the path. What can be no id is not looked for. Raises NotFound."""
    id: str = request.path_params["id"]
    if subject_flaw(id) is not None:
        raise NotFound("there is no such agreement: this is no agreement id")
    return id


def read_as_of(
    reader: Reader, id: str, known_as_of: str | None, sight: Sight, name: str = "known_as_of"
) -> Known:
    """Fold an agreement as far as it was known, and show what a reader may see of it.

    Raises NotFound before its first event and when it does not exist for the reader, and BadParameter.
    """
    now, size = reader.latest(id)
    if now is not None and not is_shown(now, sight):
        now = None
    if known_as_of is None:
        if now is None:
            raise NotFound(f"there is no agreement {id!r}")
        seen = see(now, sight)
        return Known(seen, seen, reader.position_for(sight, size), now)
    until = position_of(reader, known_as_of, size, sight, name)
    then = None if now is None else fold(None, reader.recorded(id, until=until))
    if now is None or then is None:
        raise NotFound(f"there is no agreement {id!r} as of position {until}")
    return Known(see(then, sight), see(now, sight), until, now)


def is_shown(state: Agreement, sight: Sight) -> bool:
    """Tell whether an agreement exists for a reader."""
    return sight.restricted or not is_restricted(state)


def see(state: Agreement, sight: Sight) -> Agreement:
    """Give the state of an agreement as a reader may see it."""
    return state if sight.parts else without_personal_values(state)


def position_of(
    reader: Reader, known_as_of: str | None, size: int, sight: Sight, name: str = "known_as_of"
) -> int:
    """Resolve a position or a record time to one that exists for a reader, in a log of ``size`` events.

    Raises BadParameter.
    """
    if known_as_of is None:
        return reader.position_for(sight, size)
    if known_as_of.isascii() and known_as_of.isdigit():
        position = number({name: known_as_of}, name) or 0
        if position > size:
            end = reader.position_for(sight, size)
            raise BadParameter(name, f"is behind the end of the log, which is at {end}")
        return reader.position_for(sight, position)
    bad = BadParameter(name, "is neither a position nor an RFC 3339 time")
    if time_flaw(known_as_of) is not None:
        raise bad
    try:
        since = datetime.fromisoformat(known_as_of.upper()) - EPOCH
    except ValueError:  # a leap second, which only RFC 3339 knows
        raise bad from None
    return reader.position_for(sight, reader.recorded_by(since // MICROSECOND))
