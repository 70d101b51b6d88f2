"""Areas of cooperation, facts, documents, publications and links."""

from datetime import date
from typing import Any

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.claims import Claimed, claimed
from registry.domain.dates import begun, last_day
from registry.domain.events import (
    CooperationAreaAdded,
    CooperationAreaRemoved,
    DocumentAttached,
    FactRecorded,
    Linked,
    PublicationRecorded,
)
from registry.domain.merges import dropped_ids, kept_id
from registry.domain.shown.behind import Behind, Said, behind, said, said_now
from registry.domain.values import Q, T


class AreaShown(msgspec.Struct, frozen=True, kw_only=True):
    area_id: str
    merged_ids: tuple[str, ...]
    label: T | None
    state: str
    """``agreed`` or ``prospective``; ``unknown`` if no event introduces it."""
    disputed: bool
    removed: bool
    """Whether it had been given up by the day asked for, and not taken up again."""
    claims: tuple[Said, ...]
    """The events that add it, the shown one first, then those that remove it."""


class FactShown(msgspec.Struct, frozen=True, kw_only=True):
    fact_id: str
    about: str
    predicate: str
    quantity: Q | None
    text: T | None
    truth: bool | None
    date: str | None
    as_of: str | None
    outlook: bool
    """An expectation or opinion; listed by source and never disputed."""
    sources: int
    """How many sources claim the value that is shown."""
    disputed: bool
    claims: tuple[Said, ...]


class DocumentShown(msgspec.Struct, frozen=True, kw_only=True):
    doc_id: str
    kind: str
    lang: str | None = None
    authentic: bool | None = None
    sha256: str
    url: str | None = None
    by: Behind


class PublicationShown(msgspec.Struct, frozen=True, kw_only=True):
    publication_id: str
    publisher: str | None = None
    title: str | None = None
    url: str | None = None
    published: str | None = None
    retrieved: str | None = None
    sha256: str | None = None
    lang: str | None = None
    by: Behind


class LinkShown(msgspec.Struct, frozen=True, kw_only=True):
    other_id: str
    relation: str
    by: Behind


def areas(state: Agreement, on: date) -> tuple[AreaShown, ...]:
    """Show the areas of cooperation, by id."""
    removals: dict[str, list[tuple[Live, CooperationAreaRemoved]]] = {}
    for live, data in state.of(CooperationAreaRemoved):
        removals.setdefault(kept_id(state, "area", data.area_id), []).append((live, data))
    groups = {
        predicate.split(".")[1]: group
        for predicate, group in claimed(state).items()
        if predicate.startswith("area.")
    }
    return tuple(
        _area(state, id_, groups.get(id_), removals.get(id_, []), on) for id_ in sorted({*groups, *removals})
    )


def facts(state: Agreement) -> tuple[FactShown, ...]:
    """Show the facts, by what they are about and id."""
    found = [_fact(group) for predicate, group in claimed(state).items() if predicate.startswith("fact.")]
    return tuple(sorted(found, key=lambda fact: (fact.about, fact.fact_id)))


def documents(state: Agreement) -> tuple[DocumentShown, ...]:
    """Show the documents, by id and source."""
    found = sorted(state.of(DocumentAttached), key=lambda pair: (pair[1].doc_id, pair[0].identity))
    return tuple(_convert(DocumentShown, live) for live, _ in found)


def publications(state: Agreement) -> tuple[PublicationShown, ...]:
    """Show the publications, by id and source."""
    found = sorted(state.of(PublicationRecorded), key=lambda pair: (pair[1].publication_id, pair[0].identity))
    return tuple(_convert(PublicationShown, live) for live, _ in found)


def links(state: Agreement) -> tuple[LinkShown, ...]:
    """Show the links to other agreements, by their id."""
    found = sorted(state.of(Linked), key=lambda pair: (pair[1].other_id, pair[1].relation, pair[0].identity))
    return tuple(_convert(LinkShown, live) for live, _ in found)


def _area(
    state: Agreement,
    id_: str,
    group: Claimed | None,
    removals: list[tuple[Live, CooperationAreaRemoved]],
    on: date,
) -> AreaShown:
    shown = group.shown.live.data if group else None
    added = [claim.live for claim in group.claims] if group else []
    removals = sorted(removals, key=lambda pair: pair[0].identity)
    return AreaShown(
        area_id=id_,
        merged_ids=dropped_ids(state, "area", id_),
        label=shown.label if isinstance(shown, CooperationAreaAdded) else None,
        state=group.shown.value if group else "unknown",
        disputed=bool(group and group.disputed),
        removed=_removed(added, removals, on),
        claims=tuple(map(said, (*added, *(live for live, _ in removals)))),
    )


def _removed(added: list[Live], removals: list[tuple[Live, CooperationAreaRemoved]], on: date) -> bool:
    """Tell whether the last that happened to an area by a day was its removal; the undated came first."""
    gone = [last_day(data.occurred) for _, data in removals if begun(data.occurred, on).holds]
    back = [
        last_day(live.data.occurred)
        for live in added
        if isinstance(live.data, CooperationAreaAdded)
        and live.data.occurred is not None
        and begun(live.data.occurred, on).holds
    ]
    return bool(gone) and max(gone) >= max(back, default=date.min)


def _fact(group: Claimed) -> FactShown:
    shown = group.shown
    says: Any = said_now(shown.live)
    data = shown.live.data
    return FactShown(
        fact_id=says["fact_id"],
        about=says["about"],
        predicate=says["predicate"],
        quantity=data.quantity if isinstance(data, FactRecorded) else None,
        text=says.get("text"),
        truth=says.get("truth"),
        date=says.get("date"),
        as_of=says.get("as_of"),
        outlook=says["outlook"],
        sources=shown.sources,
        disputed=group.disputed,
        claims=tuple(said(claim.live) for claim in group.claims),
    )


def _convert(kind: Any, live: Live) -> Any:
    return msgspec.convert({**said_now(live), "by": behind(live)}, kind)
