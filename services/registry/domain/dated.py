"""What happened in the course of an agreement: dated, and with the event that says so."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

import msgspec

from registry.domain.agreement import Live
from registry.domain.claims import Claim
from registry.domain.dates import Truth, begun, ended, every, first_day, last_day, some
from registry.domain.edtf import Edtf


class Dated(msgspec.Struct, frozen=True, gc=False):
    """Something that happened, and the event that says so."""

    when: Edtf
    live: Live


class End(msgspec.Struct, frozen=True):
    """A claim on the first day on which the agreement is no longer in force."""

    status: Literal["superseded", "terminated"]
    when: Edtf
    live: Live
    what: str
    """In words."""


class Denunciation(msgspec.Struct, frozen=True):
    """A notice of denunciation, with the withdrawal that came before it had effect."""

    party: str
    notified: Dated
    effective: Edtf | None
    withdrawn: Dated | None

    def pending(self, on: date) -> bool:
        """Tell whether, on a day, it has been notified and neither taken effect nor been withdrawn."""
        if self.withdrawn is not None and begun(self.withdrawn.when, on).holds:
            return False
        if self.effective is not None and ended(self.effective, on).holds:
            return False
        return begun(self.notified.when, on).holds


class PartySignature(msgspec.Struct, frozen=True, gc=False):
    """The signature of one party, and when it counts."""

    party: str
    claim: Claim
    ad_referendum: bool
    confirmation: Dated | None
    dates: tuple[Dated, ...]
    """What must have come for it to count: the signing and, ad referendum, the confirmation."""

    @classmethod
    def of(
        cls, party: str, claim: Claim, *, ad_referendum: bool, confirmation: Dated | None
    ) -> "PartySignature":
        """Make one, with its dates."""
        signing = Dated(claim.value, claim.live)
        dates = (signing, confirmation) if ad_referendum and confirmation else (signing,)
        return cls(party, claim, ad_referendum, confirmation, dates)

    @property
    def counts(self) -> bool:
        """Whether it counts at all: a signature ad referendum waits for its confirmation."""
        return self.confirmation is not None or not self.ad_referendum


def earliest(dated: Iterable[Dated]) -> Dated:
    """Give the one that begins first; of equal ones the one certain first, then the lowest identity."""
    return min(dated, key=lambda one: (first_day(one.when), last_day(one.when), one.live.identity))


def latest(dated: Iterable[Dated]) -> Dated:
    """Give the one that begins last, as it decides when all must have come."""
    found, *others = dated
    days = first_day(found.when), last_day(found.when)
    for one in others:
        when = first_day(one.when), last_day(one.when)
        if when > days or (when == days and one.live.identity < found.live.identity):
            found, days = one, when
    return found


def any_begun(dated: Iterable[Dated], on: date) -> Truth:
    """Tell whether at least one has begun."""
    return some(begun(one.when, on) for one in dated)


def all_begun(dated: Sequence[Dated], on: date) -> Truth:
    """Tell whether each has begun."""
    if len(dated) == 1:
        return begun(dated[0].when, on)
    return every(begun(one.when, on) for one in dated)
