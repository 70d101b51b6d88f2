"""What ``GET /agreements/{id}`` shows: one agreement on one day."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from registry.domain.agreement import Agreement
from registry.domain.claims import claimed, resolutions
from registry.domain.events import Registered
from registry.domain.flags import Awaited, Flags, awaiting, flags
from registry.domain.shown.behind import (
    Behind,
    ErasedShown,
    WithheldShown,
    behind,
    erased,
    record_time,
    withheld,
)
from registry.domain.shown.engagements import EngagementShown, engagements_shown
from registry.domain.shown.evidence import (
    AreaShown,
    DocumentShown,
    FactShown,
    LinkShown,
    PublicationShown,
    areas,
    documents,
    facts,
    links,
    publications,
)
from registry.domain.shown.follow_ups import CommitmentShown, FollowUpShown, commitments, follow_ups_shown
from registry.domain.shown.force import (
    ForceShown,
    Milestone,
    RatificationShown,
    RegistrationShown,
    SignatureShown,
    entry_into_force,
    milestones,
    ratifications,
    signatures,
    treaty_registrations,
)
from registry.domain.shown.lasting import (
    AmendmentShown,
    DenunciationShown,
    SupersessionShown,
    SuspensionShown,
    TerminationShown,
    TermShown,
    amendments,
    denunciations,
    supersessions,
    suspensions,
    term_shown,
    termination,
)
from registry.domain.shown.merges import MergeShown, merges
from registry.domain.shown.people import (
    InstitutionShown,
    RoleShown,
    StatementShown,
    institutions,
    roles,
    statements,
)
from registry.domain.status import Reason, Since, status
from registry.domain.values import Party, T
from registry.domain.visibility import visibility

UNCLAIMED = {"kind": "unspecified", "legal_character": "undetermined", "entry_mode": "unknown"}
"""What is shown of a field that no source claims; these words are never posted."""


class PredicateShown(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind the value that is shown for a predicate."""

    sources: int
    """How many sources claim the value that is shown."""
    claims: int
    """How many claims there are in all."""
    disputed: bool
    resolved: bool
    by: Behind
    """The event whose value is shown."""


class ResolutionShown(msgspec.Struct, frozen=True, kw_only=True):
    """Which claim was chosen in a dispute."""

    predicate: str
    chosen_source: str
    chosen_id: str
    rationale: T
    dangling: bool
    """True when the chosen event no longer claims the predicate; then it settles nothing."""
    by: Behind


class AgreementView(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement on one day, as its live events tell it. Dates are EDTF as posted; null is not known."""

    id: str
    version: Annotated[int, Meta(description="How many events the agreement has")]
    position: Annotated[int, Meta(description="Of its last event")]
    recorded_at: Annotated[str, Meta(description="When the last event was recorded, RFC 3339 in UTC")]
    on: Annotated[date, Meta(description="The day that status and derived flags are for")]
    title: Annotated[dict[str, str], Meta(description="The title by language")]
    parties: Annotated[tuple[Party, ...], Meta(description="As the founding event describes them")]
    subjects: tuple[str, ...]
    external_ids: tuple[str, ...]
    kind: Annotated[str, Meta(description="`unspecified` where no source says")]
    legal_character: Annotated[str, Meta(description="`undetermined` where no source says")]
    entry_mode: Annotated[str, Meta(description="`unknown` where no source says")]
    visibility: str
    status: Annotated[str, Meta(description="The stable code, such as `in-force`")]
    status_label: Annotated[str, Meta(description="The words to show, such as `in effect`")]
    since: Annotated[Since | None, Meta(description="From when, as precisely as it is known")]
    certain: Annotated[bool, Meta(description="Whether every reading of imprecise dates agrees")]
    reason: Reason
    awaiting: Annotated[tuple[Awaited, ...], Meta(description="What is missing before it is in force")]
    flags: Flags
    disputed: Annotated[tuple[str, ...], Meta(description="Predicates on which sources disagree")]
    resolved: Annotated[tuple[str, ...], Meta(description="Predicates whose dispute has been settled")]
    resolutions: tuple[ResolutionShown, ...]
    predicates: Annotated[
        dict[str, PredicateShown], Meta(description="What stands behind each value that sources claim")
    ]
    milestones: Annotated[
        tuple[Milestone, ...], Meta(description="Negotiation, adoption, provisional application")
    ]
    signatures: tuple[SignatureShown, ...]
    ratifications: tuple[RatificationShown, ...]
    entry_into_force: ForceShown | None
    term: TermShown | None
    termination: TerminationShown | None
    supersessions: tuple[SupersessionShown, ...]
    suspensions: tuple[SuspensionShown, ...]
    denunciations: tuple[DenunciationShown, ...]
    amendments: tuple[AmendmentShown, ...]
    treaty_registrations: tuple[RegistrationShown, ...]
    areas: tuple[AreaShown, ...]
    engagements: tuple[EngagementShown, ...]
    follow_ups: tuple[FollowUpShown, ...]
    commitments: tuple[CommitmentShown, ...]
    institutions: tuple[InstitutionShown, ...]
    roles: tuple[RoleShown, ...]
    statements: tuple[StatementShown, ...]
    facts: tuple[FactShown, ...]
    documents: tuple[DocumentShown, ...]
    publications: tuple[PublicationShown, ...]
    links: tuple[LinkShown, ...]
    merges: tuple[MergeShown, ...]
    erased: Annotated[tuple[ErasedShown, ...], Meta(description="Events of which parts have been erased")]
    withheld: Annotated[
        tuple[WithheldShown, ...],
        Meta(description="Events of which parts, personal values, are not shown to whoever asks"),
    ]


def view(state: Agreement, on: date) -> AgreementView:
    """Show an agreement on a day. Visibility is the state's own: the caller puts today's in its place."""
    now = status(state, on)
    groups = claimed(state)
    shown = {predicate: group.shown.value for predicate, group in groups.items()}
    founding = state.live[state.founder].data
    registrations = [data for _, data in sorted(state.of(Registered), key=lambda pair: pair[0].identity)]
    return AgreementView(
        id=state.id,
        version=state.version,
        position=state.position,
        recorded_at=record_time(state.recorded_at),
        on=on,
        title={name[len("title.") :]: text for name, text in shown.items() if name.startswith("title.")},
        parties=founding.parties if isinstance(founding, Registered) else (),
        subjects=_each(data.subjects for data in registrations),
        external_ids=_each(data.external_ids for data in registrations),
        kind=shown.get("kind", UNCLAIMED["kind"]),
        legal_character=shown.get("legal_character", UNCLAIMED["legal_character"]),
        entry_mode=shown.get("entry_mode", UNCLAIMED["entry_mode"]),
        visibility=visibility(state),
        status=now.code,
        status_label=now.label,
        since=now.since,
        certain=now.certain,
        reason=now.reason,
        awaiting=awaiting(state, on, now.code),
        flags=flags(state, on, now.code),
        disputed=tuple(predicate for predicate, group in groups.items() if group.disputed),
        resolved=tuple(predicate for predicate, group in groups.items() if group.settled),
        resolutions=_resolutions(state),
        predicates=_predicates(state),
        milestones=milestones(state),
        signatures=signatures(state, on),
        ratifications=ratifications(state),
        entry_into_force=entry_into_force(state, on),
        term=term_shown(state, on),
        termination=termination(state),
        supersessions=supersessions(state),
        suspensions=suspensions(state),
        denunciations=denunciations(state, on),
        amendments=amendments(state),
        treaty_registrations=treaty_registrations(state),
        areas=areas(state, on),
        engagements=engagements_shown(state, on),
        follow_ups=follow_ups_shown(state, on),
        commitments=commitments(state),
        institutions=institutions(state),
        roles=roles(state),
        statements=statements(state),
        facts=facts(state),
        documents=documents(state),
        publications=publications(state),
        links=links(state),
        merges=merges(state),
        erased=erased(state),
        withheld=withheld(state),
    )


def _each(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({one for each in lists for one in each}))


def _predicates(state: Agreement) -> dict[str, PredicateShown]:
    return {
        predicate: PredicateShown(
            sources=group.shown.sources,
            claims=len(group.claims),
            disputed=group.disputed,
            resolved=group.settled,
            by=behind(group.shown.live),
        )
        for predicate, group in claimed(state).items()
    }


def _resolutions(state: Agreement) -> tuple[ResolutionShown, ...]:
    return tuple(
        ResolutionShown(
            predicate=predicate,
            chosen_source=one.chosen[0],
            chosen_id=one.chosen[1],
            rationale=one.data.rationale,
            dangling=one.dangling,
            by=behind(one.live),
        )
        for predicate, one in sorted(resolutions(state).items())
    )
