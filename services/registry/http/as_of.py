"""The two axes of time of a read of one agreement: the day it is about, and what was known."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from registry.domain.agreement import Agreement, fold
from registry.domain.attributes import subject_flaw, time_flaw
from registry.domain.values import AGREEMENT_ID_PATTERN
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
    now: Agreement
    """As it is known today: who may read it is never a question of the past."""
    position: int
    """Up to which the log was read."""


def agreement_id(request: Asked) -> str:
    """Take the id out of the path. What can be no id is not looked for. Raises NotFound."""
    id: str = request.path_params["id"]
    if subject_flaw(id) is not None:
        raise NotFound("there is no such agreement: this is no agreement id")
    return id


def read_as_of(reader: Reader, id: str, known_as_of: str | None, name: str = "known_as_of") -> Known:
    """Fold an agreement as far as it was known. Raises NotFound before its first event, BadParameter."""
    now, size = reader.latest(id)
    if known_as_of is None:
        if now is None:
            raise NotFound(f"there is no agreement {id!r}")
        return Known(now, now, size)
    until = position_of(reader, known_as_of, size, name)
    then = fold(None, reader.recorded(id, until=until))
    if now is None or then is None:
        raise NotFound(f"there is no agreement {id!r} as of position {until}")
    return Known(then, now, until)


def position_of(reader: Reader, known_as_of: str | None, size: int, name: str = "known_as_of") -> int:
    """Resolve a position or a record time to a position in a log of ``size`` events. Raises BadParameter."""
    if known_as_of is None:
        return size
    if known_as_of.isascii() and known_as_of.isdigit():
        position = number({name: known_as_of}, name) or 0
        if position > size:
            raise BadParameter(name, f"is behind the end of the log, which is at {size}")
        return position
    bad = BadParameter(name, "is neither a position nor an RFC 3339 time")
    if time_flaw(known_as_of) is not None:
        raise bad
    try:
        since = datetime.fromisoformat(known_as_of.upper()) - EPOCH
    except ValueError:  # a leap second, which only RFC 3339 knows
        raise bad from None
    return reader.recorded_by(since // MICROSECOND)
