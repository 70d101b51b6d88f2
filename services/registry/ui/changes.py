"""What differs between two readings of an agreement, put together for people."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from registry.domain.compare import NAMES, Change
from registry.domain.values import write_custom
from registry.domain.view import AgreementView

WORDS: Mapping[str, str] = {
    "status_label": "status",
    "kind": "kind",
    "legal_character": "legal_character",
    "entry_mode": "entry_mode",
    "visibility": "visibility",
}
"""Fields with one word of the vocabulary, and the group of the catalogue that has it."""
SAID_ELSEWHERE = frozenset({"status", "predicates", "reason", "erased", "withheld", "certain"})
"""What follows from the other fields, or is shown in its own place."""
LABELS = ("label", "text", "name", "title", "predicate", "party")
"""Where a part says what it is called, the first that does."""

_FIELD = re.compile(r"(\w+)(?:\[([^\]]*)\])?(?:\.(.*))?", re.DOTALL)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What differs in one field."""

    field: str
    word: str | None = None
    """The group of the catalogue that has the words of the two values; None for other fields."""
    before: Any = None
    after: Any = None
    counts: tuple[int, int] | None = None
    """Of a list: how many there were, and are."""
    added: tuple[Any, ...] = ()
    """Parts of which nothing was known: what each is called."""
    removed: tuple[Any, ...] = ()
    changed: tuple[Any, ...] = ()


def differences(
    changes: Iterable[Change], before: AgreementView, after: AgreementView
) -> tuple[Difference, ...]:
    """Tell changes, each field once and each part of it once, in the order of the view."""
    by_field: dict[str, list[tuple[str | None, str | None, Change]]] = {}
    for change in changes:
        read = _FIELD.fullmatch(change.field)
        if read is not None and read[1] not in SAID_ELSEWHERE:
            by_field.setdefault(read[1], []).append((read[2], read[3], change))
    return tuple(_difference(field, found, before, after) for field, found in by_field.items())


def _difference(
    field: str,
    found: list[tuple[str | None, str | None, Change]],
    before: AgreementView,
    after: AgreementView,
) -> Difference:
    first = found[0][2]
    if field in NAMES:
        return _of_parts(field, found, before, after)
    if field in WORDS:
        return Difference(
            field=field, word=WORDS[field], before=_code(first.before), after=_code(first.after)
        )
    if field == "since":
        return Difference(field=field, word="date", before=_since(before), after=_since(after))
    if field == "title":
        return Difference(field=field, word="text", before=before.title, after=after.title)
    if field == "flags":
        set_ = tuple(inner for _, inner, change in found if change.after)
        unset = tuple(inner for _, inner, change in found if not change.after)
        return Difference(field=field, word="flag", added=set_, removed=unset)
    one, other = getattr(before, field), getattr(after, field)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return Difference(field=field, counts=(len(one), len(other)))
    return Difference(field=field)


def _of_parts(
    field: str,
    found: list[tuple[str | None, str | None, Change]],
    before: AgreementView,
    after: AgreementView,
) -> Difference:
    """Sort the parts of a list into those that are new, gone and told otherwise."""
    one, other = _named(before, field), _named(after, field)
    ids = dict.fromkeys(id for id, _, _ in found if id is not None)
    return Difference(
        field=field,
        added=tuple(other[id] for id in ids if id not in one),
        removed=tuple(one[id] for id in ids if id not in other),
        changed=tuple(other[id] for id in ids if id in one and id in other),
    )


def _named(view: AgreementView, field: str) -> dict[str, Any]:
    """Give what each part of a list is called, by its id; a signature is called by its party."""
    names = {party.id: party.name for party in view.parties}
    found: dict[str, Any] = {}
    for each in getattr(view, field):
        part = msgspec.to_builtins(each, enc_hook=write_custom)
        id = part[NAMES[field]]
        called = next((part[name] for name in LABELS if part.get(name)), id)
        found[id] = names.get(id, id) if field == "signatures" else called
    return found


def _code(value: Any) -> str | None:
    return None if value is None else str(value).replace(" ", "-")


def _since(view: AgreementView) -> str | None:
    return None if view.since is None else view.since.date
