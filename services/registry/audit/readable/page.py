"""The page as a whole: self-contained, without a script, and the same bytes for the same evidence."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from registry.audit.evidence import Evidence
from registry.audit.readable.chronology import dated, learned
from registry.audit.readable.entries import counted_parts, shown_events
from registry.domain.agreement import Agreement
from registry.domain.claims_view import claims_view
from registry.domain.envelope import Recorded
from registry.domain.timeline import timeline
from registry.domain.values import write_custom
from registry.domain.view import AgreementView
from registry.domain.wording import in_one_language, title_of
from registry.merkle.note import cosignature_time, parse_note

if TYPE_CHECKING:
    from jinja2 import Template

HERE = Path(__file__).parent
FIELDS_ON_A_LINE = 4


class Signed(NamedTuple):
    """A signature on the checkpoint."""

    name: str
    key_id: str
    """In hexadecimal."""
    by: str
    """``the log``, or ``a witness``."""
    time: str
    """When a witness cosigned, RFC 3339; empty where it is not said."""


def readable(
    evidence: Evidence,
    state: Agreement,
    events: Sequence[Recorded],
    view: AgreementView,
    on: date,
    *,
    parts: bool,
) -> bytes:
    """Write the page of an agreement.

    ``events`` are those of the evidence as the fold sees them, ``state`` and ``view`` what they fold to; ``parts``
    tells whether personal values are given.
    """
    claims = claims_view(state)
    shown = shown_events(evidence.events, events, parts=parts)
    page = _template().render(
        title=title_of(state),
        agreement=evidence.agreement,
        parties=[(party.id, party.name, party.kind, party.country) for party in view.parties],
        view=view,
        on=on.isoformat(),
        checkpoint=evidence.checkpoint,
        signatures=_signatures(evidence),
        keys=evidence.keys.decode().splitlines(),
        consistency=evidence.consistency,
        spans=timeline(state),
        learned=learned(events, on),
        dated=dated(shown),
        undated=sum(one.happened is None for one in shown),
        events=shown,
        parts=counted_parts(shown),
        withheld=not parts,
        disputes=[group for group in claims if group.disputed or group.resolved],
        claims=claims,
    )
    return page.encode()


def _signatures(evidence: Evidence) -> list[Signed]:
    found = []
    for one in parse_note(evidence.note).signatures:
        if one.name == evidence.checkpoint.origin:
            found.append(Signed(one.name, one.key_id.hex(), "the log", ""))
        else:
            time = datetime.fromtimestamp(cosignature_time(one.signature), UTC)
            found.append(Signed(one.name, one.key_id.hex(), "a witness", f"{time:%Y-%m-%dT%H:%M:%SZ}"))
    return found


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # loaded by the first bundle

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["style"] = (HERE / "page.css").read_text(encoding="utf-8")
    environment.filters["plain"] = plain
    environment.filters["text"] = in_one_language
    environment.filters["last_cites"] = last_cites
    environment.tests["in_languages"] = in_languages
    environment.tests["short"] = short
    return environment.get_template("page.html.jinja")


def plain(value: Any) -> Any:
    """Make what a template walks through: objects, arrays and texts."""
    return msgspec.to_builtins(value, enc_hook=write_custom)


def last_cites(body: dict[str, Any]) -> list[tuple[str, Any]]:
    """Put what an event cites behind what it says."""
    return sorted(body.items(), key=lambda item: item[0] in ("cites", "confidence"))


def short(value: Any) -> bool:
    """Tell whether an object fits on a line: a few fields, and none of them with fields of its own."""
    return len(value) <= FIELDS_ON_A_LINE and not any(
        isinstance(inner, (dict, list)) for inner in value.values()
    )


def in_languages(value: Any) -> bool:
    """Tell whether an object is a text by language, as far as its names tell."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(
            isinstance(text, str) and (len(tag.partition("-")[0]) in (2, 3)) and tag != "id"
            for tag, text in value.items()
        )
    )
