"""Which parts are one and the same, since somebody with the right to say so merged them."""

from collections.abc import Iterable, Mapping

from registry.domain.agreement import Agreement, Identity
from registry.domain.events import DuplicateMerged

Part = tuple[str, str]
"""What it is (engagement, follow-up, commitment, area, institution) and its id."""


def merged(state: Agreement) -> Mapping[Part, str]:
    """Give the id under which each dropped part is kept, through chains of merges.

    A part dropped into two others joins them; all are then kept under the lowest id that was never dropped.
    """
    found: Mapping[Part, str] | None = state.derived.get("merged")
    if found is None:
        found = state.derived["merged"] = _merged(data for _, data in state.of(DuplicateMerged))
    return found


def kept_id(state: Agreement, what: str, part_id: str) -> str:
    """Give the id under which a part is kept: its own unless it was merged into another."""
    return merged(state).get((what, part_id), part_id)


def dropped_ids(state: Agreement, what: str, part_id: str) -> tuple[str, ...]:
    """Give the ids of the parts that were merged into one, in order."""
    return tuple(
        sorted(part for (kind, part), kept in merged(state).items() if (kind, kept) == (what, part_id))
    )


def loops(state: Agreement, merge: DuplicateMerged, *, but: Identity | None = None) -> tuple[int, ...] | None:
    """Give the positions of the merges that lead from the kept part back to the dropped one; else None.

    A part merged into itself loops with no other merge: an empty tuple. ``but`` is a merge to overlook.
    """
    into: dict[str, list[tuple[str, int]]] = {}
    for live, data in state.of(DuplicateMerged):
        if data.what == merge.what and live.identity != but:
            into.setdefault(data.dropped_id, []).append((data.kept_id, live.first.position))
    waiting: list[tuple[str, tuple[int, ...]]] = [(merge.kept_id, ())]
    seen: set[str] = set()
    while waiting:
        part, path = waiting.pop()
        if part == merge.dropped_id:
            return path
        if part not in seen:
            seen.add(part)
            waiting += [(kept, (*path, position)) for kept, position in into.get(part, ())]
    return None


def _merged(merges: Iterable[DuplicateMerged]) -> dict[Part, str]:
    groups: dict[Part, set[str]] = {}
    dropped: set[Part] = set()
    for merge in merges:
        dropped.add((merge.what, merge.dropped_id))
        joined = {merge.dropped_id, merge.kept_id}
        for part in (merge.dropped_id, merge.kept_id):
            joined |= groups.get((merge.what, part), set())
        for part in joined:
            groups[merge.what, part] = joined
    kept: dict[Part, str] = {}
    for (what, part), group in groups.items():
        # Merges that loop are refused; a log cut or reordered half-way may still hold one for a moment.
        final = min(group - {other for kind, other in dropped if kind == what}, default=min(group))
        if final != part:
            kept[what, part] = final
    return kept
