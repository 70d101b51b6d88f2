"""Whether a part that an event names has been introduced by another."""

from registry.domain.agreement import Agreement
from registry.domain.events import InstitutionLinked

INTRODUCED_BY = {
    "engagement": ("engagement-planned", "engagement-held"),
    "follow-up": ("follow-up-scheduled",),
    "commitment": ("commitment-made",),
    "area": ("cooperation-area-added",),
}
"""The event types that introduce a part, by what it is."""


def introduced(state: Agreement, what: str, part_id: str) -> bool:
    """Tell whether a live event introduces a part; otherwise what names it dangles."""
    if what == "institution":
        return any(data.institution_id == part_id for _, data in state.of(InstitutionLinked))
    return any(f"{name}:{part_id}" in state.index for name in INTRODUCED_BY[what])
