"""Whatever the order of arrival, the same is known: properties over random logs that decide has accepted."""

import random
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.agreement import Agreement, fold
from registry.domain.claims_view import claims_view
from registry.domain.codec import typed
from registry.domain.envelope import Recorded
from registry.domain.status import status
from registry.domain.timeline import timeline
from registry.domain.values import write_custom
from registry.domain.view import view
from registry.errors import Rejected

SOURCES = ("https://a.example/", "https://b.example/", "https://c.example/")
RECORD_DATA = {"position", "positions", "corrections", "version", "recorded_at"}
PARTIES = ("pak", "slv")
DAYS = (
    "2025-01-10",
    "2025-02-01",
    "2025-02",
    "2025-03-1X",
    "../2025-03-05",
    "2025-04-01/..",
    "2025",
    "2025-05-05~",
    "2025-02-20/2025-03-02",
)
EVERY_DAY = [date(2024, 12, 20) + timedelta(days=5 * n) for n in range(90)]

day = st.sampled_from(DAYS)
party = st.sampled_from(PARTIES)
part = st.sampled_from(("one", "two", "three"))
text = st.sampled_from(({"en": "this"}, {"en": "that"}, {"es": "eso"}))
cites = st.sampled_from(([], [{"publication_id": "p", "basis": "inferred"}]))


def event(name: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(name), st.fixed_dictionaries({"cites": cites, **fields}))


def parties_described() -> list[dict[str, Any]]:
    return [{"id": name, "kind": "state", "name": {"en": name}} for name in PARTIES]


CLAIMS = {
    "registered": event(
        "registered",
        title=text,
        parties=st.just(parties_described()),
        kind=st.sampled_from(("loi", "treaty")),
        entry_mode=st.sampled_from(("on-signature", "ratification")),
    ),
    "classified": event("classified", legal_character=st.sampled_from(("binding", "non-binding"))),
    "title-given": event("title-given", title=text),
    "negotiation-opened": event("negotiation-opened", occurred=day),
    "negotiation-abandoned": event("negotiation-abandoned", occurred=day),
    "text-adopted": event("text-adopted", occurred=day),
    "signed": event(
        "signed",
        signatures=st.sampled_from(
            (
                [{"party": "pak"}],
                [{"party": "slv", "ad_referendum": True}],
                [{"party": "pak", "ad_referendum": True}, {"party": "slv"}],
            )
        ),
        occurred=day,
    ),
    "signature-confirmed": event("signature-confirmed", party=party, occurred=day),
    "ratified": event("ratified", party=party, form=st.just("ratification"), occurred=day),
    "provisionally-applied": event("provisionally-applied", **{"from": day}),
    "provisional-application-ended": event("provisional-application-ended", occurred=day),
    "entered-into-force": event("entered-into-force", date=day),
    "term-set": event(
        "term-set",
        end=st.sampled_from(("2025-02-15", "2025-03", "2025-06-30")),
        auto_renew=st.just(True),  # noqa: FBT003
        renew_for=st.sampled_from(("P1M", "P20D")),
        notice=st.sampled_from(("P1W", "P0D")),
    ),
    "renewed": event("renewed", new_end=day, occurred=day, mode=st.just("express")),
    "non-renewal-notified": event("non-renewal-notified", party=party, occurred=day),
    "suspended": event("suspended", **{"from": day}),
    "resumed": event("resumed", occurred=day),
    "denunciation-notified": event("denunciation-notified", party=party, occurred=day, effective=day),
    "denunciation-withdrawn": event("denunciation-withdrawn", party=party, occurred=day),
    "terminated": event("terminated", date=day, ground=st.just("consent"), survival_until=day),
    "superseded": event("superseded", by_id=st.just("another-one"), date=day),
    "cooperation-area-added": event(
        "cooperation-area-added", area_id=part, label=text, state=st.sampled_from(("agreed", "prospective"))
    ),
    "cooperation-area-removed": event(
        "cooperation-area-removed", area_id=part, occurred=day, reason=st.just("No longer wanted.")
    ),
    "engagement-planned": event(
        "engagement-planned",
        engagement_id=part,
        kind=st.sampled_from(("visit", "meeting")),
        when=day,
        certainty=st.just("expected"),
    ),
    "engagement-held": event(
        "engagement-held", engagement_id=part, kind=st.sampled_from(("visit", "meeting")), start=day
    ),
    "engagement-rescheduled": event("engagement-rescheduled", engagement_id=part, occurred=day, when=day),
    "engagement-cancelled": event("engagement-cancelled", engagement_id=part, occurred=day),
    "follow-up-scheduled": event("follow-up-scheduled", follow_up_id=part, text=text, due=day),
    "follow-up-progressed": event("follow-up-progressed", follow_up_id=part, occurred=day, new_due=day),
    "follow-up-completed": event("follow-up-completed", follow_up_id=part, occurred=day),
    "fact-recorded": event("fact-recorded", fact_id=part, about=part, predicate=st.just("is"), text=text),
}
CLAIM = st.one_of(*CLAIMS.values())
MERGE = event(
    "duplicate-merged",
    what=st.sampled_from(("engagement", "follow-up", "area")),
    kept_id=part,
    dropped_id=part,
)
WHAT = {"claim": CLAIM, "merge": MERGE} | dict.fromkeys(
    ("correct", "retract", "resolve"), st.integers(0, 1000)
)
STEP = st.sampled_from(["claim"] * 12 + ["merge", "correct", "correct", "retract", "resolve"]).flatmap(
    lambda step: st.tuples(st.just(step), WHAT[step])
)
LOG = st.tuples(
    st.lists(st.tuples(STEP, st.sampled_from(SOURCES)), min_size=12, max_size=40),
    st.randoms(use_true_random=False),
)


def accepted(log: Any, steps: Iterable[Any], chance: random.Random, draw: Any) -> None:
    """Post what the steps say; what decide refuses is left out."""
    for (step, what), source in steps:
        try:
            if step in ("claim", "merge"):
                name, data = what
                log.post(name, source=source, admin=True, **data)
            else:
                _amend(log, step, log.events[what % len(log.events)], chance, draw)
        except Rejected:
            continue


def _amend(log: Any, step: str, target: Recorded, chance: random.Random, draw: Any) -> None:
    if step == "retract":
        log.retract(target, admin=True)
    elif step == "correct":
        first = log.state.live.get(target.identity)
        name = target.type.removeprefix("agreement.").removesuffix(".v1")
        if first is not None and name in CLAIMS:
            log.correct(target, admin=True, **_same_subject(draw(CLAIMS[name])[1], log.body(target)))
        elif name == "event-corrected":
            log.correct(target, admin=True, **log.body(target)["replacement"])
    elif predicates := [predicate for predicate, _ in target.data.claims()]:
        log.resolve(chance.choice(predicates), target, admin=True)


def _same_subject(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    fixed = ("party", "area_id", "engagement_id", "follow_up_id", "fact_id", "signatures")
    return {**new, **{field: old[field] for field in fixed if field in old}}


def shuffled(events: list[Recorded], chance: random.Random) -> list[Recorded]:
    """Give the events in another order, the founding one and every named target before what names them."""
    waiting, order, known = events[1:], events[:1], {events[0].identity}
    chance.shuffle(waiting)
    while waiting:
        for one in waiting:
            if _named(one) <= known:
                waiting.remove(one)
                order.append(one)
                known.add(one.identity)
                break
    return [
        msgspec.structs.replace(one, position=place, version=place, recorded_at=place)
        for place, one in enumerate(order, start=1)
    ]


def _named(one: Recorded) -> set[tuple[str, str]]:
    named = getattr(one.data, "target", None) or getattr(one.data, "chosen", None)
    return {(named.source, named.id)} if named else set()


def folded(events: list[Recorded]) -> Agreement:
    state = fold(None, events)
    assert state is not None
    return state


def meaning(state: Agreement, on: date) -> Any:
    """Everything that is shown, without the data of the record."""
    shown = [view(state, on), claims_view(state), timeline(state)]
    return without(msgspec.to_builtins(shown, enc_hook=write_custom))


def without(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without(inner) for name, inner in value.items() if name not in RECORD_DATA}
    return [without(inner) for inner in value] if isinstance(value, (list, tuple)) else value


@settings(max_examples=120, deadline=None)
@given(LOG, st.data())
def test_any_order_of_an_accepted_log_folds_to_the_same_state_on_every_day(log_of, steps, data):
    log = log_of()
    accepted(log, steps[0], steps[1], data.draw)
    one, other = folded(log.events), folded(shuffled(log.events, steps[1]))
    assert one.live.keys() == other.live.keys()
    assert {key: set(held) for key, held in one.index.items()} == {
        key: set(held) for key, held in other.index.items()
    }
    assert meaning(one, date(2025, 3, 3)) == meaning(other, date(2025, 3, 3))
    for on in EVERY_DAY:
        assert without(msgspec.to_builtins(status(one, on))) == without(
            msgspec.to_builtins(status(other, on))
        )


@settings(max_examples=100, deadline=None)
@given(LOG, st.data())
def test_correcting_a_claim_to_a_value_equals_having_posted_that_value(log_of, steps, data):
    log = log_of()
    accepted(log, [step for step in steps[0] if step[0][0] == "claim"], steps[1], data.draw)
    target = data.draw(st.sampled_from(log.events))
    name = target.type.removeprefix("agreement.").removesuffix(".v1")
    if name not in CLAIMS:
        return
    replacement = _same_subject(data.draw(CLAIMS[name])[1], log.body(target))
    posted = [
        msgspec.structs.replace(one, data=typed(one.type, replacement)) if one is target else one
        for one in log.events
    ]
    try:
        log.correct(target, admin=True, **replacement)
    except Rejected:
        return
    for on in (date(2025, 1, 31), date(2025, 3, 3), date(2026, 1, 1)):
        assert meaning(log.state, on) == meaning(folded(posted), on)


@settings(max_examples=100, deadline=None)
@given(LOG, st.data())
def test_a_retraction_leaves_nothing_of_the_claim_and_of_its_corrections(log_of, steps, data):
    log = log_of()
    accepted(log, steps[0], steps[1], data.draw)
    named = {identity for one in log.events for identity in _named(one) if "dispute" in one.type}
    left = [one for one in log.events[1:] if one.identity in log.state.live and one.identity not in named]
    if not left:
        return
    target = data.draw(st.sampled_from(left))
    gone = {target.identity, *(by.identity for by in log.state.live[target.identity].corrections)}
    before = folded([one for one in log.events if one.identity not in gone and not _named(one) & gone])
    log.retract(target, admin=True)
    for on in (date(2025, 1, 31), date(2025, 3, 3), date(2026, 1, 1)):
        assert meaning(log.state, on) == meaning(before, on)


@settings(max_examples=100, deadline=None)
@given(LOG, st.data())
def test_the_timeline_says_for_every_day_what_the_status_of_that_day_says(log_of, steps, data):
    log = log_of()
    accepted(log, steps[0], steps[1], data.draw)
    spans = timeline(log.state)
    assert spans[0].from_ is None
    assert spans[-1].until is None
    for n in range(500):
        on = date(2024, 12, 25) + timedelta(days=n)
        span = next(one for one in spans if one.until is None or on <= one.until)
        now = status(log.state, on)
        assert (now.code, now.certain, now.since) == (span.status, span.certain, span.since), on
