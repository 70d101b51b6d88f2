"""Which parts were merged, and by which events."""

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.events import DuplicateMerged
from registry.domain.introduced import introduced
from registry.domain.shown.behind import Behind, behind


class MergeShown(msgspec.Struct, frozen=True, kw_only=True):
    """Two parts that are one."""

    what: str
    kept_id: str
    dropped_id: str
    dangling: bool
    """Whether no live event introduces one of the two."""
    by: Behind


def merges(state: Agreement) -> tuple[MergeShown, ...]:
    """Show the merges, by what was merged."""
    found = sorted(
        state.of(DuplicateMerged), key=lambda pair: (pair[1].what, pair[1].dropped_id, pair[0].identity)
    )
    return tuple(
        MergeShown(
            what=data.what,
            kept_id=data.kept_id,
            dropped_id=data.dropped_id,
            dangling=not all(introduced(state, data.what, part) for part in (data.kept_id, data.dropped_id)),
            by=behind(live),
        )
        for live, data in found
    )
