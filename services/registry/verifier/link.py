"""Whether what is shown now extends a checkpoint that was seen before."""

from collections.abc import Mapping
from typing import NamedTuple

from registry.merkle.checkpoint import Checkpoint
from registry.merkle.proof import verify_consistency
from registry.merkle.tree import EMPTY_ROOT
from registry.verifier.bundle import Consistency
from registry.verifier.outcome import FORKED, OLDER, UNLINKED, Problem, broken


class Shown(NamedTuple):
    """What the evidence shows of the tree."""

    checkpoint: Checkpoint
    roots: Mapping[int, bytes]
    """Recomputed roots by size; empty where no tree was recomputed."""
    consistency: Consistency | None = None
    whole: bool = False
    """The tree was recomputed: every size up to its own could be asked for."""


def check_consistency(shown: Shown) -> None:
    """Verify the consistency proof that comes with a bundle, whatever it is from. Raises Ended."""
    proof = shown.consistency
    if proof is None:
        return
    size, root = shown.checkpoint.size, shown.checkpoint.root
    if proof.size != size or not verify_consistency(proof.old_size, size, proof.old_root, root, proof.proof):
        raise broken("consistency.json", f"it does not show that {size} events extend {proof.old_size}")


def link(earlier: Checkpoint, shown: Shown, what: str) -> Problem | None:
    """Say why the evidence is not shown to extend an earlier checkpoint; None when it is."""
    size = shown.checkpoint.size
    known = {0: EMPTY_ROOT} | dict(shown.roots) | {size: shown.checkpoint.root}
    if shown.consistency is not None and not shown.whole:
        known[shown.consistency.old_size] = shown.consistency.old_root
    root = known.get(earlier.size)
    if root is not None:
        if root == earlier.root:
            return None
        return Problem(
            FORKED,
            f"checkpoint {earlier.size}",
            f"{what} has the root {earlier.root.hex()}, and this is a history with the root {root.hex()}",
        )
    if earlier.size > size:
        detail = f"{what} is of {earlier.size} events, and this shows {size}"
        return Problem(OLDER, f"checkpoint {size}", detail)
    detail = (
        f"nothing shows that it extends {what}, of {earlier.size} events; ask for evidence from that size on"
    )
    return Problem(UNLINKED, f"checkpoint {size}", detail)
