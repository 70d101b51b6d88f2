"""What a principal may post, beyond holding the scope: events of its sources, about agreements of its parties."""

from registry.access import Principal
from registry.domain.agreement import Agreement
from registry.domain.envelope import Posted
from registry.domain.events import Registered
from registry.errors import NotPermitted


def check_source(principal: Principal, posted: Posted) -> None:
    """Refuse an event of a source that the principal is not bound to; no state is needed. Raises NotPermitted."""
    if not principal.may_claim_as(posted.source):
        raise NotPermitted(
            "source-not-permitted",
            f"these credentials post as {_any_of(principal.sources)}, not as {posted.source!r}",
            pointer="/source",
        )


def check_parties(principal: Principal, state: Agreement | None, posted: Posted) -> None:
    """Refuse an event about an agreement of other parties. Raises NotPermitted.

    ``state`` is what the agreement is under the lock of the head, None for one that nobody has founded: then the
    parties are those that the event names, if it founds it; an event that does not is refused by ``decide``.
    """
    if not principal.parties:
        return
    if state is not None:
        parties = state.parties
    elif isinstance(posted.data, Registered):
        parties = tuple(party.id for party in posted.data.parties)
    else:
        return
    if not set(parties) & set(principal.parties):
        raise NotPermitted(
            "party-not-permitted",
            f"these credentials post about agreements of {_any_of(principal.parties)}, and this is none",
            pointer="/subject",
        )


def _any_of(bound: tuple[str, ...]) -> str:
    return " or ".join(bound)
