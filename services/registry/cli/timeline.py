"""What happened to an agreement, and what is to come, in the order of its days."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from registry.domain.edtf import parse

View = Mapping[str, Any]
Row = tuple[str | None, str, View]
"""A date in EDTF, None when nobody gives one, what happened, and the item of the view that says so."""


def timeline(view: View) -> list[tuple[str, str, int | None]]:
    """Put everything that has a day in order, and engagements without one at the end.

    Each with the position of the first event that told of it.
    """
    rows = [*course(view), *force(view), *lasting(view), *encounters(view)]
    rows.sort(key=lambda row: first(row[0]))
    return [(when or "no date", what, position_of(item)) for when, what, item in rows]


def position_of(item: View) -> int | None:
    """Return the position of the first event behind an item."""
    behind = item["claims"] if "claims" in item else item["by"]
    events = [behind] if isinstance(behind, Mapping) else behind
    return min((event["position"] for event in events), default=None)


def first(when: str | None) -> date:
    """Return the first day a date can mean, or the last where it is open at its beginning."""
    if when is None:
        return date.max
    edtf = parse(when)
    return edtf.earliest or edtf.latest or date.max


def course(view: View) -> Iterator[Row]:
    """Negotiation, signature, ratification."""
    for milestone in view["milestones"]:
        yield milestone["date"], milestone["by"]["event"].replace("-", " "), milestone
    for signature in view["signatures"]:
        place = f" in {signature['place']['name']}" if signature["place"] else ""
        named = [who for signatory in signature["signatories"] if (who := signed_by(signatory))]
        by = f": {'; '.join(dict.fromkeys(named))}" if named else ""
        reserve = " ad referendum" if signature["ad_referendum"] else ""
        party = party_name(view, signature["party"])
        yield signature["date"], f"signed for {party}{place}{reserve}{by}", signature
        if signature["confirmed"]:
            yield signature["confirmed"], f"signature for {party} confirmed", signature
    for ratification in view["ratifications"]:
        party = party_name(view, ratification["party"])
        yield ratification["date"], f"{ratification['form']} by {party}", ratification


def force(view: View) -> Iterator[Row]:
    """Coming into force, and the term."""
    if entered := view["entry_into_force"]:
        yield entered["date"], "enters into force" if entered["ahead"] else "entered into force", entered
    for registration in view["treaty_registrations"]:
        what = f"registered with {registration['registry']} as {registration['number']}"
        yield registration["date"], what, registration
    if term := view["term"]:
        yield from ((term["start"], "term begins", term),) if term["start"] else ()
        if end := term["current_end"] or term["end"]:
            times = term["tacit_renewals"]
            renewed = f", after {times} tacit renewal{'s' if times > 1 else ''}" if times else ""
            yield end, f"term ends{renewed}", term
        for renewal in term["renewals"]:
            yield renewal["occurred"], f"{renewal['mode']} renewal", renewal
        for notice in term["notices"]:
            yield notice["occurred"], f"non-renewal notified by {party_name(view, notice['party'])}", notice


def lasting(view: View) -> Iterator[Row]:
    """What changed it, and what ended it."""
    for amendment in view["amendments"]:
        yield amendment["effective"], f"amended: {in_language(amendment['summary'])}", amendment
    for suspension in view["suspensions"]:
        yield suspension["from"], "suspended", suspension
        if suspension["resumed"]:
            yield suspension["resumed"], "resumed", suspension
    for denunciation in view["denunciations"]:
        party = party_name(view, denunciation["party"])
        yield denunciation["occurred"], f"denunciation notified by {party}", denunciation
        if denunciation["withdrawn"]:
            yield denunciation["withdrawn"], f"denunciation by {party} withdrawn", denunciation
    if termination := view["termination"]:
        yield termination["date"], f"terminated ({termination['ground']})", termination
    for supersession in view["supersessions"]:
        yield supersession["date"], f"superseded by {supersession['by_id']}", supersession


def encounters(view: View) -> Iterator[Row]:
    """Engagements and follow-ups."""
    for one in view["engagements"]:
        label = in_language(one["label"] or {}) or one["engagement_id"]
        kind = one["kind"] if one["kind"] not in (None, "unspecified") else "engagement"
        state = one["certainty"] if one["state"] == "planned" and one["certainty"] else one["state"]
        yield one["when"], f"{kind} {state}: {label}", one
    for follow_up in view["follow_ups"]:
        text = in_language(follow_up["text"] or {}) or follow_up["follow_up_id"]
        state = "overdue" if follow_up["overdue"] else follow_up["state"]
        yield follow_up["due"], f"follow-up {state}: {text}", follow_up


def signed_by(signatory: View) -> str:
    """Say who signed, as far as that is known."""
    actor = signatory["actor"] or {}
    person = actor.get("person") or {}
    named = "[erased]" if person.get("erased") else person.get("name") or actor.get("institution_id")
    return ", ".join(filter(None, (named, signatory["capacity"])))


def party_name(view: View, id_: str) -> str:
    """Return what a party is called."""
    return next((in_language(party["name"]) for party in view["parties"] if party["id"] == id_), id_)


def in_language(texts: Mapping[str, str]) -> str:
    """Return the English text, or else the first in the order of the languages."""
    return texts.get("en") or next((texts[tag] for tag in sorted(texts)), "")
