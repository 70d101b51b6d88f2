"""What differs between two views of one agreement, field by field."""

from typing import Any

import msgspec

from registry.domain.values import write_custom
from registry.domain.view import AgreementView

NAMES = {
    "areas": "area_id",
    "engagements": "engagement_id",
    "follow_ups": "follow_up_id",
    "commitments": "commitment_id",
    "institutions": "institution_id",
    "facts": "fact_id",
    "signatures": "party",
}
"""The lists whose items are told apart by an id, and the field with that id."""

ALWAYS = frozenset({"version", "position", "recorded_at", "on"})
"""What says where a view stands, and not what it shows."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field that differs."""

    field: str
    """Its path, such as ``status``, ``flags.overdue`` or ``engagements[visit-1].state``."""
    before: Any
    """JSON; None also for what was not there."""
    after: Any


def compare(before: AgreementView, after: AgreementView) -> tuple[Change, ...]:
    """Give what differs, in the order of the view; lists of items without an id count as one field."""
    one, other = _plain(before), _plain(after)
    changes: list[Change] = []
    for field in one:
        if field not in ALWAYS:
            _differ(field, one[field], other[field], changes)
    return tuple(changes)


def _plain(view: AgreementView) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(view, enc_hook=write_custom)
    for field, name in NAMES.items():
        plain[field] = {item[name]: item for item in plain[field]}
    return plain


def _differ(path: str, before: Any, after: Any, changes: list[Change]) -> None:
    if before == after:
        return
    if not isinstance(before, dict) or not isinstance(after, dict):
        changes.append(Change(field=path, before=_listed(before), after=_listed(after)))
        return
    for name in {**before, **after}:
        inner = f"{path}[{name}]" if path in (*NAMES, "predicates") else f"{path}.{name}"
        _differ(inner, before.get(name), after.get(name), changes)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
