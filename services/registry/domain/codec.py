"""Between JSON and events: what is posted becomes typed, what is recorded is split into parts and put back.

Part 0 holds everything but the personal values; part k holds those of one person (DESIGN: the leaf).
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

import msgspec

from registry.domain.events import EventCorrected
from registry.domain.events.correction import NEVER_REPLACED
from registry.domain.events.event import EVENT_TYPES, OLDER_VERSIONS, Body, Event, lift, personal_of, read
from registry.domain.flaws import flaw_of
from registry.domain.pointers import Tokens, expand, leaves, pointer, put, tokens_of, value_at
from registry.domain.shapes import field_at
from registry.domain.subset import SAYS_NOTHING, canonical, check_subset
from registry.domain.values import read_custom
from registry.errors import Flaw, Invalid

__all__ = [
    "ERASED_TEXT",
    "MARKER",
    "WITHHELD_TEXT",
    "Joined",
    "canonical",
    "check_subset",
    "event_and_missing",
    "event_and_places",
    "join",
    "known",
    "markers",
    "names_in_texts",
    "owners_of",
    "recorded_event",
    "same_content",
    "split",
    "typed",
]

MARKER = "$part"
"""The name that stands, with the number of a part, in the place of a personal value."""

NOT_COMPARED = frozenset({"traceparent", "tracestate"})
"""Attributes that may differ when an event is posted again: they describe the posting, not the event."""

ERASED_TEXT = {"zxx": "[erased]"}
"""What stands where a type requires a text that has been erased; ``zxx`` is the tag of no language."""

WITHHELD_TEXT = {"zxx": "[withheld]"}
"""What stands where a type requires a text that whoever reads may not see."""

_encoder = msgspec.json.Encoder()

_personal_pointer = lru_cache(maxsize=4096)(pointer)
"""Personal values lie at few places: their names are those of the types, never of whoever posts."""


class Joined(msgspec.Struct, frozen=True):
    """An event put back together from its parts that are open."""

    attrs: dict[str, str]
    body: Body
    """``data``; an erased value is still its ``{"$part": k}``."""
    principal: str
    erased: tuple[int, ...] = ()
    """The numbers of the parts that are not there. Part 0 not there: nothing else is filled in."""
    pointers_erased: tuple[str, ...] = ()
    """Where in the body a value is missing because it has been erased."""
    withheld: tuple[int, ...] = ()
    """The numbers of the parts that are there and not shown; their values are markers in the body as well."""


def known(name: str) -> bool:
    """Tell whether events of a type are read, be it a current version or an older one."""
    return name in EVENT_TYPES or name in OLDER_VERSIONS


def typed(name: str, body: Any) -> Event:
    """Make an event of posted ``data``. Raises Invalid, with pointers relative to ``data``."""
    if not known(name):
        raise Invalid(f"there is no event type {name!r}", [Flaw("", f"there is no event type {name!r}")])
    # A null would pass as an absent field. Looking for its letters first is ten times quicker than walking.
    if b"null" in _encoder.encode(body):
        _refuse_nulls(body)
    event = _read(name, body)
    if isinstance(event, EventCorrected):
        _check_replacement(event)
    return event


def split(
    name: str,
    body: Body,
    attrs: Mapping[str, str],
    principal: str,
    owners: Mapping[Tokens, str] | None = None,
) -> tuple[bytes, ...]:
    """Give the canonical bytes of part 0 and of the part of every person, in order.

    Persons are numbered by the first appearance of a personal value of theirs in the canonical ``data``.
    ``owners`` is what ``owners_of`` gives, when the caller has it already.
    """
    if owners is None:
        owners = owners_of(name, body)
    if not owners:
        return (canonical({"attrs": attrs, "data": body, "principal": principal}),)
    numbers: dict[str, int] = {}
    parts: list[Body] = []
    data = msgspec.json.decode(_encoder.encode(body))
    for at in sorted(owners):
        number = numbers.setdefault(owners[at], len(numbers) + 1)
        if number > len(parts):
            parts.append({})
        parts[number - 1][_personal_pointer(at)] = value_at(body, at)
        put(data, at, {MARKER: number})
    return (
        canonical({"attrs": attrs, "data": data, "principal": principal}),
        *(canonical(part) for part in parts),
    )


def join(part0: bytes | None, parts: Mapping[int, bytes], withheld: Collection[int] = ()) -> Joined:
    """Put an event together from the bytes of its open parts; None for a part 0 that is gone.

    ``withheld`` has the numbers of open parts that are not to be shown, and are not among ``parts``.
    """
    if part0 is None:
        return Joined({}, {}, "", erased=(0,), pointers_erased=("",))
    whole = msgspec.json.decode(part0)
    body = whole["data"]
    missing: dict[Tokens, int] = {}
    if _has_markers(part0):
        for number in sorted(parts):
            for place, value in msgspec.json.decode(parts[number]).items():
                put(body, tokens_of(place, body), value)
        missing = dict(markers(body))
    numbers = set(missing.values())
    return Joined(
        whole["attrs"],
        body,
        whole["principal"],
        erased=tuple(sorted(numbers.difference(withheld))),
        pointers_erased=tuple(pointer(at) for at, number in missing.items() if number not in withheld),
        withheld=tuple(sorted(numbers.intersection(withheld))),
    )


_DOLLAR = ord("$")


def _has_markers(part0: bytes) -> bool:
    """Tell whether there may be markers in part 0. Few events have a dollar sign, and a byte is found soonest."""
    return _DOLLAR in part0 and b'"$part"' in part0


class _Stored(Joined, frozen=True, rename={"body": "data"}):
    """Part 0 with the body still in its bytes."""

    body: msgspec.Raw  # type: ignore[assignment]  # encoded like a body


_stored = msgspec.json.Decoder(_Stored).decode


def as_stored(part0: bytes | None) -> Joined | None:
    """Read an event that has no part but this, its body left as JSON to be passed on; None of any other event.

    A fourth of the work of ``join``, for whoever only writes the body out again.
    """
    return None if part0 is None or _has_markers(part0) else _stored(part0)


@cache
def _decoder(cls: type[Event]) -> Callable[[bytes], Any]:
    """Give what reads part 0 for its data alone, in one pass."""
    part0 = msgspec.defstruct("Part0", [("data", cls)])
    return msgspec.json.Decoder(part0, dec_hook=read_custom).decode


def whole_event(name: str, part0: bytes | None) -> Event | None:
    """Type an event that has no part but this, from its very bytes; None of any other, and of an older version.

    A third of the work of ``join`` and reading what that gives.
    """
    cls = EVENT_TYPES.get(name)
    if cls is None or part0 is None or _has_markers(part0):
        return None
    data: Event = _decoder(cls)(part0).data
    return data


def recorded_event(name: str, joined: Joined) -> Event:
    """Type a recorded event again. An erased value is absent, or says so where the type requires one.

    When part 0 itself is gone, nothing is known but that there was an event: it claims nothing.
    """
    return event_and_places(name, joined)[0]


def event_and_places(name: str, joined: Joined) -> tuple[Event, tuple[Tokens, ...]]:
    """Type a recorded event again, and tell where in it a value has been erased."""
    return event_and_missing(name, joined)[:2]


def event_and_missing(name: str, joined: Joined) -> tuple[Event, tuple[Tokens, ...], tuple[Tokens, ...]]:
    """Type a recorded event again, and tell where in it a value has been erased, and where one is withheld."""
    if not joined.erased and not joined.withheld:
        return read(name, joined.body), (), ()
    if 0 in joined.erased:
        return Event(), (), ()
    cls, body, places = _without_missing(name, joined.body, joined.withheld)
    held_back = tuple(at for at, number in places if number in joined.withheld)
    return read(cls.type, body), tuple(at for at, _ in places if at not in held_back), held_back


def same_content(joined: Joined, attrs: Mapping[str, str], body: Body) -> bool:
    """Tell whether what is posted again is what was recorded. An erased value equals any other.

    The caller compares type and subject, which are outside ``data`` and attributes.
    """
    if 0 in joined.erased:
        return True
    if _compared(joined.attrs) != _compared(attrs):
        return False
    return canonical(body) == canonical(joined.body) or (bool(joined.erased) and _same(joined.body, body))


def names_in_texts(personal: Mapping[Tokens, str], body: Body) -> tuple[str, ...]:
    """Give the pointers of texts that are not personal and yet contain a name given in this event.

    ``personal`` is what ``owners_of`` gives for it.
    """
    names = {value_at(body, at).casefold() for at in personal if at[-1] == "name"}
    if not names or not _said_elsewhere(names, [value_at(body, at) for at in personal], body):
        return ()
    contains = re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(each) for each in sorted(names))})(?!\w)")
    return tuple(
        pointer(at)
        for at, leaf in leaves(body)
        if isinstance(leaf, str)
        and contains.search(leaf.casefold())
        and not any(at[: len(owned)] == owned for owned in personal)
    )


def _read(name: str, body: Any, prefix: str = "") -> Event:
    """Read a body of a known type; flaws are placed below ``prefix``."""
    try:
        cls, lifted = lift(name, body)
    except (LookupError, TypeError, ValueError, AttributeError):
        # Nobody keeps the shape of an older version; that it cannot be lifted is all there is to say.
        raise Invalid(
            f"this is no {name}", [Flaw(prefix, f"this does not have the shape of {name}")]
        ) from None
    try:
        return read(cls.type, lifted)
    except msgspec.ValidationError as error:
        flaw = flaw_of(error, cls, lifted)
        raise Invalid(f"this is no {name}", [Flaw(prefix + flaw.pointer, flaw.detail)]) from None


def _refuse_nulls(body: Any) -> None:
    places = [pointer(at) for at, leaf in leaves(body) if leaf is None]
    if places:
        raise Invalid("null says nothing", [Flaw(at, SAYS_NOTHING) for at in places])


def _check_replacement(event: EventCorrected) -> None:
    name = event.target.type
    if name in NEVER_REPLACED or not known(name):
        detail = f"{name!r} is no type of an event that can be first corrected"
        raise Invalid("this is no correction", [Flaw("/target/type", detail)])
    _read(name, event.replacement, "/replacement")


def owners_of(name: str, body: Body) -> dict[Tokens, str]:
    """Give the place of every personal value in a body, with the id of the person it belongs to."""
    owners: dict[Tokens, str] = {}
    for owned in personal_of(name, body):
        for at, whole in expand(body, owned.at):
            for _, person in expand(whole, owned.person):
                for path in owned.values:
                    for found, _ in expand(whole, path, at):
                        owners[found] = person["person_id"]
    return owners


def _said_elsewhere(names: set[str], personal: list[Any], body: Body) -> bool:
    """Tell whether a name may stand outside the personal values: counting is quicker than looking for words."""
    whole = _encoder.encode(body).decode().casefold()
    within = _encoder.encode(personal).decode().casefold()
    written = [_encoder.encode(name).decode()[1:-1] for name in names]
    return any(whole.count(name) > within.count(name) for name in written)


def markers(value: Any, at: Tokens = ()) -> Iterator[tuple[Tokens, int]]:
    """Yield place and part number of every value that is not there. No posted ``data`` has such a name."""
    if isinstance(value, dict):
        if MARKER in value:
            yield at, value[MARKER]
            return
        for name, inner in value.items():
            yield from markers(inner, (*at, name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from markers(inner, (*at, i))


def _without_missing(
    name: str, body: Body, withheld: Collection[int]
) -> tuple[type[Event], Body, tuple[tuple[Tokens, int], ...]]:
    """Lift a body to the class that is read today, with its markers dropped or filled in; tell where they were."""
    cls, lifted = lift(name, body)
    body = msgspec.json.decode(_encoder.encode(lifted))
    if cls is EventCorrected:
        target = body["target"]
        replaced, replacement, within = _without_missing(target["type"], body["replacement"], withheld)
        body = {**body, "target": {**target, "type": replaced.type}, "replacement": replacement}
        return cls, body, tuple((("replacement", *at), number) for at, number in within)
    places = tuple(sorted(markers(body)))
    for at, number in places:
        field = field_at(cls, at)
        if field is not None and field.required:
            put(body, at, WITHHELD_TEXT if number in withheld else ERASED_TEXT)
        else:
            del value_at(body, at[:-1])[at[-1]]
    return cls, body, places


def _compared(attrs: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in attrs.items() if name not in NOT_COMPARED}


def _same(recorded: Any, posted: Any) -> bool:
    """Compare deeply; a marker on the recorded side equals whatever is posted in its place."""
    if isinstance(recorded, dict):
        if MARKER in recorded:
            return True
        return (
            isinstance(posted, dict)
            and recorded.keys() == posted.keys()
            and all(_same(value, posted[name]) for name, value in recorded.items())
        )
    if isinstance(recorded, list):
        return isinstance(posted, list) and len(recorded) == len(posted) and all(map(_same, recorded, posted))
    return type(recorded) is type(posted) and bool(recorded == posted)
