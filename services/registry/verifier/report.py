"""What a verification came to, for people and for programs."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from registry.merkle.entry import format_time
from registry.verifier.outcome import (
    FORKED,
    HOLDS,
    MALFORMED,
    OLDER,
    TAMPERED,
    UNAUTHENTICATED,
    UNLINKED,
    UNREADABLE,
    WORDS,
    Problem,
)

MAX_SHOWN = 1000
"""Characters of one line of a report; a verifier key is shorter."""

WORST_FIRST = (MALFORMED, UNREADABLE, TAMPERED, FORKED, OLDER, UNLINKED, UNAUTHENTICATED)
"""Which code is given when there are several problems."""


@dataclass(frozen=True)
class EventLine:
    """One event of an agreement, with the state of each of its parts."""

    position: int
    version: int
    recorded_at: int
    type: str
    parts: tuple[str, ...]
    """``opened``, ``withheld``, or ``erased`` with the position of its tombstone."""


@dataclass
class Report:
    """Filled in as the verification goes on; what it holds when it ends early is what was found by then."""

    target: str
    kind: str = "evidence"
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    origin: str = ""
    size: int = 0
    root: bytes = b""
    keys: list[str] = field(default_factory=list)
    """Verifier keys that the auditor brought and that signed the checkpoint."""
    claimed_keys: list[str] = field(default_factory=list)
    """Keys that came with the evidence and signed it."""
    cosigned: list[tuple[str, int]] = field(default_factory=list)
    """(witness, seconds since 1970)."""
    events: int = 0
    opened: int = 0
    withheld: int = 0
    erased: int = 0
    checkpoints: int = 0
    agreements: int = 0
    agreement: str = ""
    status: str = ""
    """Of the agreement as replayed, with the day that it is for."""
    lines: list[EventLine] = field(default_factory=list)
    earlier: str = ""
    """What was found about the checkpoint seen before."""
    kept: str = ""
    """Where the checkpoint is kept now; empty when it was not."""
    evidence: str = ""
    """Where both checkpoints of a fork were put."""
    notes: list[tuple[str, bytes]] = field(default_factory=list)
    """Both checkpoints of a fork as they are."""
    not_proven: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code."""
        codes = {problem.code for problem in self.problems}
        return next((code for code in WORST_FIRST if code in codes), HOLDS)

    @property
    def verdict(self) -> str:
        """The exit code in words."""
        return WORDS[self.code]


def as_json(report: Report) -> dict[str, Any]:
    """Give the report as plain JSON values."""
    return {
        "verdict": report.verdict,
        "code": report.code,
        "target": report.target,
        "kind": report.kind,
        "verified_at": report.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "origin": report.origin,
        "size": report.size,
        "root": report.root.hex(),
        "authenticated": bool(report.keys),
        "keys": report.keys,
        "claimed_keys": report.claimed_keys,
        "cosigned": [{"witness": name, "time": time} for name, time in report.cosigned],
        "events": report.events,
        "parts": {"opened": report.opened, "withheld": report.withheld, "erased": report.erased},
        "checkpoints": report.checkpoints,
        "agreements": report.agreements,
        "agreement": report.agreement or None,
        "status": report.status or None,
        "lines": [
            {
                "position": line.position,
                "version": line.version,
                "recorded_at": format_time(line.recorded_at),
                "type": line.type,
                "parts": list(line.parts),
            }
            for line in report.lines
        ],
        "earlier": report.earlier,
        "kept": report.kept or None,
        "evidence": report.evidence or None,
        "not_proven": report.not_proven,
        "problems": [
            {"code": problem.code, "place": problem.place, "detail": problem.detail}
            for problem in report.problems
        ],
    }


def in_words(report: Report) -> list[tuple[str, str]]:
    """Give the report as lines of (what, text), in the order in which they are read."""
    said = [
        ("verified", f"{report.target} ({report.kind}) on {report.at:%Y-%m-%d at %H:%M:%S} UTC"),
        *([("log", f"{report.origin}, {counted(report.size, 'event')}")] if report.origin else []),
        *([("root", report.root.hex())] if report.root else []),
    ]
    said += [("signed", f"by the key given: {key}") for key in report.keys]
    if not report.keys:
        said += [("UNAUTHENTICATED", f"by a key that came with it: {key}") for key in report.claimed_keys]
    said += [
        ("cosigned", f"by {name} on {datetime.fromtimestamp(time, UTC):%Y-%m-%d at %H:%M:%S} UTC")
        for name, time in report.cosigned
    ]
    said.append(("events", _events(report)))
    if report.status:
        said.append(("agreement", f"{report.agreement}: {report.status}"))
    said += [("event", _line(line)) for line in report.lines]
    said += [("earlier", report.earlier)] if report.earlier else []
    said += [("kept", report.kept)] if report.kept else []
    for name, note in report.notes:
        said += [(name, line) for line in note.decode(errors="replace").splitlines() if line]
    said += [("evidence", report.evidence)] if report.evidence else []
    said += [("not proven", text) for text in report.not_proven]
    said += [(WORDS[problem.code], str(problem)) for problem in report.problems]
    return [(printable(what), printable(text)) for what, text in said]


def printable(text: str) -> str:
    """Make a text harmless to show: what comes from the evidence may hold commands for a terminal, or be endless."""
    shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
    return "".join([one if one.isprintable() else f"<U+{ord(one):04X}>" for one in shown])


def counted(number: int, what: str) -> str:
    """Say how many there are."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _events(report: Report) -> str:
    whole = (
        f"{report.events:,} verified; parts: {report.opened:,} OPENED, {report.erased:,} ERASED, "
        f"{report.withheld:,} WITHHELD"
    )
    further = []
    if report.checkpoints:
        further.append(counted(report.checkpoints, "checkpoint"))
    if report.agreements:
        further.append(f"{counted(report.agreements, 'agreement')} replayed")
    return "; ".join([whole, *further])


def _line(line: EventLine) -> str:
    name = line.type.removeprefix("agreement.")
    parts = ", ".join(f"part {k} {state}" for k, state in enumerate(line.parts))
    return f"v{line.version} at position {line.position}, {format_time(line.recorded_at)}: {name}: {parts}"
