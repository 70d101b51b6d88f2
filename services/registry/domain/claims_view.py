"""Every claim on every predicate: what each source says, and which value is shown."""

from typing import Any

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.claims import Claimed, claimed
from registry.domain.events.event import Predicate
from registry.domain.shown.behind import Behind, behind
from registry.domain.values import write_custom


class ClaimShown(msgspec.Struct, frozen=True, kw_only=True):
    """What one event claims."""

    value: Any
    """As posted, in JSON: a string, or an object for a term, a place or a fact."""
    sources: int
    """How many sources claim an equal value."""
    by: Behind


class ClaimsShown(msgspec.Struct, frozen=True, kw_only=True):
    """The live claims on one predicate, the shown one first."""

    predicate: str
    disputed: bool
    """Whether the claims differ and nobody has settled it."""
    resolved: bool
    resolved_by: Behind | None
    """The resolution, also one whose chosen claim is gone and which settles nothing."""
    claims: tuple[ClaimShown, ...]


def claims_view(state: Agreement, predicate: Predicate | None = None) -> tuple[ClaimsShown, ...]:
    """Show the claims on one predicate, empty without any, or on all of them by name."""
    groups = claimed(state)
    if predicate is None:
        return tuple(map(_shown, groups.values()))
    return (_shown(groups[predicate]),) if predicate in groups else ()


def _shown(group: Claimed) -> ClaimsShown:
    return ClaimsShown(
        predicate=group.predicate,
        disputed=group.disputed,
        resolved=group.settled,
        resolved_by=behind(group.resolution.live) if group.resolution else None,
        claims=tuple(
            ClaimShown(
                value=msgspec.to_builtins(claim.value, enc_hook=write_custom),
                sources=claim.sources,
                by=behind(claim.live),
            )
            for claim in group.claims
        ),
    )
