"""What stands behind an item: the events that say so."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.bodies import body_of
from registry.domain.dates import first_day
from registry.domain.edtf import Edtf
from registry.domain.events.event import Body, Cite
from registry.domain.pointers import expand, value_at

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC, which is written behind it


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """An event that an item rests on."""

    event: str
    """The name within the type, such as ``signed``."""
    source: str
    id: str
    """With the source: the identity of the event first posted."""
    position: int
    corrections: tuple[int, ...]
    """Positions of its live corrections, oldest first."""
    basis: str
    """``stated`` or ``inferred``."""
    confidence: str | None
    cites: tuple[Cite, ...]


class Said(Behind, frozen=True, kw_only=True):
    """An event that an item rests on, with what it says now."""

    says: Body
    """Its ``data`` after corrections, without ``cites`` and ``confidence``; an erased or withheld value is null."""


class ErasedShown(msgspec.Struct, frozen=True, kw_only=True):
    """An event of which parts have been erased."""

    parts: tuple[int, ...]
    """Their numbers; 0 is all that is not personal, and nothing else of the event is shown then."""
    by: Behind


class WithheldShown(msgspec.Struct, frozen=True, kw_only=True):
    """An event of which parts are not shown to whoever asks."""

    parts: tuple[int, ...]
    """Their numbers."""
    by: Behind


def erased(state: Agreement) -> tuple[ErasedShown, ...]:
    """Show the live events of which parts have been erased, by identity."""
    found = sorted((live for live in state.live.values() if live.erased), key=lambda live: live.identity)
    return tuple(ErasedShown(parts=live.erased, by=behind(live)) for live in found)


def withheld(state: Agreement) -> tuple[WithheldShown, ...]:
    """Show the live events of which parts are withheld, by identity."""
    found = sorted((live for live in state.live.values() if live.withheld), key=lambda live: live.identity)
    return tuple(WithheldShown(parts=live.withheld, by=behind(live)) for live in found)


def behind(live: Live) -> Behind:
    """Name an event behind an item."""
    return Behind(**_name(live))


def said(live: Live) -> Said:
    """Name an event behind an item, and give what it says now."""
    body = said_now(live)
    body.pop("cites", None)
    body.pop("confidence", None)
    return Said(**_name(live), says=body)


def said_now(live: Live) -> Body:
    """Give what a live event says now as JSON; an erased value is null, beside ``"erased": true``.

    So is a value that is withheld, beside ``"withheld": true``.
    """
    body = body_of(live.data)
    for why, places in (("erased", live.places_erased), ("withheld", live.places_withheld)):
        for owned in live.data.personal if places else ():
            for at, whole in expand(body, owned.at):
                if any((*at, *path.split("/")) in places for path in owned.values):
                    _null(whole, owned.values, why)
    return body


def in_order(lives: Iterable[tuple[Edtf | None, Live]]) -> list[Live]:
    """Sort events by the day on which they begin, the undated last, then by identity."""
    return [live for _, live in sorted(lives, key=lambda pair: by_day(*pair))]


def by_day(when: Edtf | None, live: Live) -> tuple[date, tuple[str, str]]:
    """Give what dated events are sorted by."""
    return first_day(when) if when else date.max, live.identity


def record_time(microseconds: int) -> str:
    """Write a record time, in microseconds since 1970, as RFC 3339 in UTC with six digits of a second."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    return f"{_second(seconds)}.{fraction:06}Z"


@lru_cache(1000)
def _second(since_1970: int) -> str:
    """Write a second; what is recorded together shares it."""
    return (_EPOCH + timedelta(seconds=since_1970)).isoformat()


def _name(live: Live) -> dict[str, Any]:
    return {
        "event": live.first.type.removeprefix("agreement.").rpartition(".")[0],
        "source": live.first.source,
        "id": live.first.id,
        "position": live.first.position,
        "corrections": tuple(correction.position for correction in live.corrections),
        "basis": "inferred" if live.data.inferred else "stated",
        "confidence": live.data.confidence,
        "cites": live.data.cites,
    }


def _null(whole: Body, paths: Iterable[str], why: str) -> None:
    """Show the values of a person whose part has been erased, or is withheld, as null: none of them is left."""
    for place in (tuple(path.split("/")) for path in paths):
        holder = value_at(whole, place[:-1])
        holder[place[-1]] = None
        holder[why] = True
