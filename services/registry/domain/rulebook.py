"""Every rule by which an event is refused, and every warning it may be accepted with, by name."""

RULES = {
    "unknown-agreement": "Only `registered` founds an agreement; anything else needs one that exists.",
    "id-taken": "An agreement that whoever posts may not see has this id: choose another for a new one.",
    "parties-not-distinct": "The two parties of an agreement are two different parties.",
    "other-parties": "A further `registered` names the same two party ids as the founding one.",
    "unknown-party": "A reference to a party names one of the agreement's two parties.",
    "party-repeated": "One event gives at most one signature of each party.",
    "already-claimed": (
        "A source claims a key once: a predicate, a part id with the event type, the signature, confirmation "
        "or ratification of a party. Correct or retract the earlier event instead."
    ),
    "empty-claim": "An event claims something.",
    "one-value": "A fact gives exactly one of quantity, text, truth and date.",
    "end-before-start": "An end does not come before its start.",
    "auto-renew-incomplete": "A term that renews itself has a last day and a `renew_for` above zero.",
    "target-unknown": "A correction or retraction names an event of the same agreement.",
    "target-not-live": "A correction or retraction names an event that has not been retracted.",
    "target-of-another-source": (
        "A source corrects and retracts only its own events; the scope `admin` may act for another."
    ),
    "target-never": "Retractions and erasures are never corrected or retracted.",
    "target-type": "`target.type` is the type of the event first corrected.",
    "already-corrected": "An event has at most one live correction; a further one targets that correction.",
    "replacement-parties": (
        "A replacement names the same parties as what it replaces; otherwise retract and post anew."
    ),
    "replacement-part": "A replacement is about the same part, predicate or merge as what it replaces.",
    "founder-retracted": (
        "The founding `registered` is corrected, never retracted; a wrong agreement is retracted as a whole."
    ),
    "founding-source-only": (
        "Visibility, resolutions, merges and the retraction of an agreement belong to the founding source "
        "or the scope `admin`."
    ),
    "already-resolved": "A predicate has at most one live resolution.",
    "chosen-not-a-claim": "A resolution chooses a live event of the agreement that claims the predicate.",
    "merge-loops": "Merges do not lead back to where they began.",
    "erasure-route-only": "`personal-data-erased` is made by the erasure route and never posted.",
    "erasure-of-what-counts": (
        "Part 0 is erased only of an event that was retracted, or that was corrected and is itself no "
        "correction."
    ),
    "nothing-personal": "Without part numbers an erasure takes the personal parts of an event, and it has some.",
    "part-unknown": "An erasure names parts that the event has.",
}
"""Refused with 409 and the positions in conflict."""

WARNINGS = {
    "entry-into-force-before-signature": "It enters into force before it was signed.",
    "termination-without-entry-into-force": "It ends, and nothing says that it was ever in force.",
    "renewal-without-signature": "It is renewed, and no signature is claimed.",
    "amendment-without-signature": "It is amended, and no signature is claimed.",
    "after-the-end": "Something happened after the agreement had ended.",
    "part-not-seen": "A part is named that no event has introduced yet.",
    "registration-of-non-binding": "A treaty registry took in an instrument that is said to be non-binding.",
    "binding-loi": "A letter of intent is said to be binding.",
    "publication-later-than-record": "A publication is dated later than the day it was read or recorded.",
    "name-in-text": "A text that is kept for ever contains a name that is given in the event.",
}
"""The event is accepted; the receipt says so, with the positions concerned."""


def rules_page() -> str:
    """Write the page of the documentation that lists the rules and the warnings, in Markdown."""
    lines = [
        "# Rules and warnings",
        "",
        (
            "A refusal looks only at the event, the agreement's parties and what the event names: never at a "
            "clock, at the order in which others arrived, or at a personal value."
        ),
        "",
        "## Rules: the event is refused (409)",
        "",
        "| rule | says |",
        "|---|---|",
        *(f"| `{rule}` | {sentence} |" for rule, sentence in RULES.items()),
        "",
        "## Warnings: the event is accepted",
        "",
        "| code | says |",
        "|---|---|",
        *(f"| `{code}` | {sentence} |" for code, sentence in WARNINGS.items()),
        "",
    ]
    return "\n".join(lines)
