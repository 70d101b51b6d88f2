"""What an event says, in one sentence for people. No personal value is in it, so no erasure changes it.

A type without a sentence of its own is told by its name.
"""

import re
from collections.abc import Mapping
from typing import Any

from registry.domain.edtf import Edtf
from registry.domain.envelope import Recorded
from registry.domain.events import EventCorrected, EventRef
from registry.domain.events.event import Event
from registry.domain.values import Place
from registry.domain.wording import in_one_language, on_one_line

MOST_LETTERS = 300

SENTENCES: Mapping[str, str] = {
    "registered": "registered: {title}",
    "classified": "classified[ as {kind}][, {legal_character}][, in force {entry_mode}]",
    "negotiation-opened": "negotiation opened {on occurred}[ in {venue}]",
    "text-adopted": "text adopted {on occurred}[ ({languages})]",
    "negotiation-abandoned": "negotiation abandoned {on occurred}",
    "title-given": "called: {title}",
    "visibility-changed": "visibility changed to {visibility}",
    "cooperation-area-added": "area of cooperation {state}: {label}",
    "cooperation-area-removed": "area of cooperation {area_id} given up {on occurred}",
    "linked": "{relation}: {other_id}",
    "signed": "signed for {parties} {on occurred}[ in {place}]",
    "signature-confirmed": "signature for {party} confirmed {on occurred}",
    "ratified": "{form} by {party} {on occurred}",
    "provisionally-applied": "provisionally applied from {from_}",
    "provisional-application-ended": "provisional application ended {on occurred}",
    "entered-into-force": "entry into force {on date}",
    "treaty-registered": "registered with {registry} as {number} {on date}",
    "term-set": "term set[ from {start}][ to {end}]",
    "amended": "amended from {effective}: {summary}",
    "renewed": "renewed {on occurred}[ to {new_end}]",
    "non-renewal-notified": "non-renewal notified by {party} {on occurred}",
    "suspended": "suspended from {from_}",
    "resumed": "resumed {on occurred}",
    "denunciation-notified": "denunciation notified by {party} {on occurred}[, with effect from {effective}]",
    "denunciation-withdrawn": "denunciation withdrawn by {party} {on occurred}",
    "terminated": "terminated {on date}, ground: {ground}",
    "superseded": "superseded by {by_id} {on date}",
    "engagement-planned": "{kind} {certainty}[ for {when}][ in {place}][: {label}]",
    "engagement-held": "{kind} held {on start}[, until {end},][ in {place}][: {label}]",
    "engagement-rescheduled": "engagement {engagement_id} moved to {when}",
    "engagement-cancelled": "engagement {engagement_id} called off {on occurred}",
    "commitment-made": "{strength} of {parties}: {text}",
    "follow-up-scheduled": "follow-up due {due}: {text}",
    "follow-up-progressed": "follow-up {follow_up_id} progressed {on occurred}[, now due {new_due}]",
    "follow-up-completed": "follow-up {follow_up_id} completed {on occurred}",
    "follow-up-dropped": "follow-up {follow_up_id} dropped {on occurred}",
    "institution-linked": "institution of {party}, {role}: {name}",
    "role-held": "office held for {party}",
    "publication-recorded": "publication[: {title}][ ({publisher})]",
    "statement-recorded": "statement[ {on occurred}], attributed: {attribution}",
    "fact-recorded": "fact about {about}: {predicate}",
    "document-attached": "document attached: {kind}[, {lang}]",
    "event-retracted": "event {target} retracted",
    "dispute-resolved": "dispute on {predicate} settled",
    "duplicate-merged": "duplicate {what} merged: {dropped_id} into {kept_id}",
    "agreement-retracted": "agreement retracted",
    "personal-data-erased": "parts of event {target} erased",
}
"""By the name within the type: fields in braces, with ``on`` before a date that something happened on.

What is in brackets is left out when its field is not given.
"""

WORDS: Mapping[str, str] = {
    "loi": "letter of intent",
    "mou": "memorandum of understanding",
    "exchange-of-notes": "exchange of notes",
    "joint-statement": "joint statement",
    "on-signature": "on signature",
    "ratification": "by ratification",
    "fixed-date": "on a fixed date",
    "notification": "by notification",
    "working-group": "working group",
    "unspecified": "engagement",
}
"""How words of the vocabulary read in ``kind`` and ``entry_mode``, where they do not read as they are."""
_READ = frozenset({"kind", "entry_mode"})
_QUALIFIERS = {"~": " (approximate)", "?": " (uncertain)", "%": " (approximate, uncertain)"}
_PLAIN = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")

_OPTIONAL = re.compile(r"\[([^\[\]]*\{((?:on )?\w+)\}[^\[\]]*)\]")
_FIELD = re.compile(r"\{((?:on )?\w+)\}")


def sentence(event: Recorded) -> str:
    """Say what an event says."""
    if 0 in event.erased:
        name = event.type.removeprefix("agreement.").rpartition(".")[0]
        return _capital(f"{name.replace('-', ' ')} (erased)")
    return _capital(on_one_line(_said(event.data), MOST_LETTERS))


def _said(data: Event) -> str:
    if isinstance(data, EventCorrected):
        return f"corrected: {_said(data.replacing)}"
    text = SENTENCES.get(data.short_name, data.short_name.replace("-", " "))
    text = _OPTIONAL.sub(lambda found: found[1] if _value(data, found[2]) else "", text)
    return _FIELD.sub(lambda found: _value(data, found[1]), text)


def _value(data: Event, asked: str) -> str:
    """Write the value of a field; ``parties`` are those that the event names. Empty when it is not given."""
    preposition, _, field = asked.rpartition(" ")
    if field == "parties":
        return ", ".join(dict.fromkeys(party for _, party in data.parties_named()))
    value: Any = getattr(data, field)
    match value:
        case None | ():
            return ""
        case tuple():
            return ", ".join(value)
        case dict():
            return in_one_language(value)
        case Edtf():
            return _happened(value) if preposition else _day(value)
        case Place():
            return value.name
        case EventRef():
            return f"{value.id} of {value.source}"
    return WORDS.get(value, value) if field in _READ else str(value)


def _happened(when: Edtf) -> str:
    """Say when something happened: on a day, in a month or a year, or on some day."""
    return f"{'on' if when.precise or not _PLAIN.fullmatch(_bare(when)) else 'in'} {_day(when)}"


def _day(when: Edtf) -> str:
    qualifier = _QUALIFIERS.get(when.qualifier, "")
    if _PLAIN.fullmatch(bare := _bare(when)):
        return bare + qualifier
    first, last = when.earliest, when.latest
    if first is None:
        return f"some day up to {last}{qualifier}"
    return f"some day from {first} {'on' if last is None else f'to {last}'}{qualifier}"


def _bare(when: Edtf) -> str:
    return when.text.rstrip("~?%")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
