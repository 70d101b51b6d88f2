"""The claims on each predicate: which value is shown, who else says so, and where sources disagree."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from registry.domain.agreement import Agreement, Identity, Live, first_of
from registry.domain.edtf import UNBOUNDED, Edtf, meets
from registry.domain.events import DisputeResolved, DuplicateMerged, FactValue, Term
from registry.domain.events.event import Predicate
from registry.domain.merges import kept_id


class Claim(msgspec.Struct, frozen=True, gc=False):
    """What one live event says on one predicate."""

    value: Any
    live: Live
    sources: int = 1
    """How many distinct sources claim an equal value."""

    @property
    def basis(self) -> str:
        return "inferred" if self.live.data.inferred else "stated"


class Resolution(msgspec.Struct, frozen=True):
    """Which claim was chosen to be shown, by whom, and whether that claim still stands."""

    live: Live
    data: DisputeResolved
    chosen: Identity
    """The event first posted, also when a correction of it was named."""
    dangling: bool
    """True when the chosen event no longer claims the predicate; then it settles nothing."""


class Claimed(msgspec.Struct, frozen=True, gc=False):
    """A predicate with its live claims, the shown one first."""

    predicate: Predicate
    claims: tuple[Claim, ...]
    differ: bool
    """Whether two of the claims cannot both be right."""
    resolution: Resolution | None = None

    @property
    def shown(self) -> Claim:
        return self.claims[0]

    @property
    def settled(self) -> bool:
        """Whether somebody with the right to has chosen one of the claims."""
        return self.resolution is not None and not self.resolution.dangling

    @property
    def disputed(self) -> bool:
        """Whether sources disagree and nobody has settled it."""
        return self.differ and not self.settled


def claimed(state: Agreement) -> Mapping[Predicate, Claimed]:
    """Give every predicate that has a live claim, in the order of their names."""
    found: Mapping[Predicate, Claimed] | None = state.derived.get("claimed")
    if found is None:
        found = state.derived["claimed"] = _claimed(state)
    return found


def shown(state: Agreement, predicate: Predicate) -> Claim | None:
    """Give the claim that is shown for a predicate, None without any."""
    group = claimed(state).get(predicate)
    return group.shown if group else None


def resolutions(state: Agreement) -> Mapping[Predicate, Resolution]:
    """Give the live resolution of each predicate, also those whose chosen claim is gone.

    Merging two areas may leave two resolutions for one predicate: the one that names the kept area holds.
    """
    found: dict[Predicate, Resolution] = {}
    if DisputeResolved not in state.index:
        return found
    named = ((data, live) for live, data in state.of(DisputeResolved))
    for data, live in sorted(named, key=lambda pair: (pair[0].predicate, pair[1].identity)):
        predicate = kept_predicate(state, data.predicate)
        chosen = first_of(state, (data.chosen.source, data.chosen.id))
        dangling = predicate not in claims_by(state, chosen)
        resolution = Resolution(live, data, chosen, dangling)
        known = found.get(predicate)
        if known is None or (resolution.data.predicate == predicate != known.data.predicate):
            found[predicate] = resolution
    return found


def claims_by(state: Agreement, identity: Identity) -> set[Predicate]:
    """Give the predicates that a live event claims."""
    live = state.live.get(identity)
    return {kept_predicate(state, predicate) for predicate, _ in live.data.claims()} if live else set()


def kept_predicate(state: Agreement, predicate: Predicate) -> Predicate:
    """Give the predicate under which claims stand once areas have been merged."""
    if predicate.startswith("area."):
        return f"area.{kept_id(state, 'area', predicate.split('.')[1])}.state"
    return predicate


def ranked(claims: Iterable[tuple[Any, Live]], chosen: Identity | None = None) -> tuple[Claim, ...]:
    """Sort claims on one predicate, the one to show first.

    Chosen by a resolution, then stated over inferred, then the narrowest date, then the most sources, then
    the lowest identity of the event first posted.
    """
    given = list(claims)
    if len(given) == 1:
        return (Claim(*given[0]),)
    sources: dict[Any, set[str]] = {}
    keys = [_comparable(value) for value, _ in given]
    for key, (_, live) in zip(keys, given, strict=True):
        sources.setdefault(key, set()).add(live.source)

    def order(claim: Claim) -> tuple[bool, bool, int, int, Identity]:
        live = claim.live
        return live.identity != chosen, live.data.inferred, _width(claim.value), -claim.sources, live.identity

    return tuple(
        sorted(
            (Claim(value, live, len(sources[key])) for key, (value, live) in zip(keys, given, strict=True)),
            key=order,
        )
    )


def disagree(one: Any, other: Any) -> bool:
    """Tell whether two values cannot both be right.

    Dates disagree when their ranges share no day. Of two structs only the fields that both give are compared:
    a source that says less does not contradict.
    """
    if isinstance(one, Edtf) and isinstance(other, Edtf):
        return not meets(one, other)
    if isinstance(one, FactValue) and isinstance(other, FactValue) and one.date and other.date:
        return (one.about, one.predicate) != (other.about, other.predicate) or not meets(one.date, other.date)
    if isinstance(one, FactValue) or not isinstance(one, msgspec.Struct) or type(one) is not type(other):
        return bool(one != other)
    pairs = ((getattr(one, field), getattr(other, field)) for field in one.__struct_fields__)
    return any(disagree(mine, yours) for mine, yours in pairs if mine is not None and yours is not None)


def _claimed(state: Agreement) -> dict[Predicate, Claimed]:
    given: dict[Predicate, list[tuple[Any, Live]]] = {}
    has_merges = DuplicateMerged in state.index
    for live in state.live.values():
        for predicate, value in live.data.claims():
            name = kept_predicate(state, predicate) if has_merges else predicate
            if name in given:
                given[name].append((value, live))
            else:
                given[name] = [(value, live)]
    resolved = resolutions(state)
    return {
        predicate: _group(predicate, given[predicate], resolved.get(predicate)) for predicate in sorted(given)
    }


def _group(predicate: Predicate, given: list[tuple[Any, Live]], resolution: Resolution | None) -> Claimed:
    if len(given) == 1:  # as most are
        ((value, live),) = given
        return Claimed(predicate, (Claim(value, live),), False, resolution)  # noqa: FBT003 - most often made of all
    claims = ranked(given, resolution.chosen if resolution else None)
    values = list({_comparable(c.value): c.value for c in claims if c.live.data.disputable}.values())
    differ = any(disagree(one, other) for i, one in enumerate(values) for other in values[:i])
    return Claimed(predicate, claims, differ, resolution)


def _comparable(value: Any) -> Any:
    """Give what equal values have in common: of a date its range, as ``2025-07~`` means the same days."""
    if isinstance(value, Edtf):
        return value.earliest, value.latest
    if isinstance(value, FactValue):
        return value if value.date is None else (value.about, value.predicate, _comparable(value.date))
    if isinstance(value, msgspec.Struct):
        return tuple(_comparable(getattr(value, field)) for field in value.__struct_fields__)
    return value


def _width(value: Any) -> int:
    """Give how imprecise a value is, in days: that of its date, or of its end if it is a term."""
    if isinstance(value, Term):
        return value.end.width if value.end else UNBOUNDED
    if isinstance(value, FactValue):
        value = value.date
    return value.width if isinstance(value, Edtf) else 0
