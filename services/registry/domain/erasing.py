"""What an erasure takes with it: the parts of the same persons in everything that stands for the same event."""

from collections.abc import Collection, Iterator

from registry.domain.agreement import Agreement, Identity, first_of
from registry.domain.envelope import Recorded
from registry.errors import Rejected


def chain_of(state: Agreement, identity: Identity) -> Iterator[Recorded]:
    """Yield the event first posted and all of its corrections, of corrections too, whether or not they count."""
    waiting = [first_of(state, identity)]
    while waiting:
        one = waiting.pop()
        if one in state.recorded:
            yield state.recorded[one]
        waiting.extend(state.corrections.get(one, ()))


def parts_to_erase(position: int, parts: Collection[int] | None, many: int) -> set[int]:
    """Work out which parts of an event with ``many`` go: those asked for, or without any all that are personal.

    With part 0 goes everything, as nothing would tell any more whose the others are.
    Raises Rejected when a part does not exist or there is nothing personal.
    """
    if parts is None:
        if many == 1:
            raise Rejected("nothing-personal", "the event has no personal part", [position])
        return set(range(1, many))
    if unknown := sorted(set(parts) - set(range(many))):
        detail = f"the event has the parts 0 to {many - 1}, and no part {unknown[0]}"
        raise Rejected("part-unknown", detail, [position], pointer="/parts")
    return set(range(many)) if 0 in parts else set(parts)


def erasure_id(position: int, parts: Collection[int]) -> str:
    """Name the event that records an erasure. A part goes once, so the lowest of them tells it from all others."""
    return f"erasure-{position}-{min(parts)}"
