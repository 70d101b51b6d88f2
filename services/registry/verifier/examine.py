"""One verification: what the auditor brought, what is counted on the way, and the conclusion at the end."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from registry.merkle.checkpoint import Checkpoint
from registry.merkle.note import VerifierKey
from registry.verifier.events import Given
from registry.verifier.kept import Kept, read_since
from registry.verifier.keys import Signed, authenticate
from registry.verifier.link import Shown, link
from registry.verifier.outcome import FORKED, HOLDS, UNAUTHENTICATED, UNLINKED, Problem, unreadable
from registry.verifier.report import EventLine, Report
from registry.verifier.walk import Progress, Taken

if TYPE_CHECKING:
    from registry.verifier import replay


class Options(NamedTuple):
    """What the auditor brought."""

    keys: tuple[VerifierKey, ...] = ()
    """Of the log."""
    witnesses: tuple[VerifierKey, ...] = ()
    state: Path | None = None
    """Where the last checkpoint of each log is kept; None: nowhere."""
    since: Path | None = None
    """An earlier checkpoint, in a file."""
    api_key: str = ""
    proofs_only: bool = False
    """Do not fold the events again."""
    foreign: bool = False
    """The entries are not of a registry; they are hashed and not read."""
    progress: Progress = lambda _done, _total: None


class Earlier(NamedTuple):
    """A checkpoint of the log that was seen before."""

    what: str
    checkpoint: Checkpoint
    note: bytes


class Examination:
    """One verification. Owned by ``verify``; whoever reads the evidence fills in the report."""

    def __init__(self, report: Report, options: Options) -> None:
        self.report = report
        self.options = options
        self.replay: replay.Replay | None = None
        if not (options.proofs_only or options.foreign):
            from registry.verifier.replay import Replay

            self.replay = Replay()

    def authenticate(self, note: bytes, claimed: Iterable[VerifierKey] = ()) -> Signed:
        """Verify a checkpoint and note who stands for it. Raises Ended."""
        signed = authenticate(note, self.options.keys, self.options.witnesses, tuple(claimed))
        report = self.report
        report.origin, report.size, report.root, *_ = signed.checkpoint
        report.keys = [str(key) for key in signed.signers]
        report.claimed_keys = [str(key) for key in signed.claimed]
        report.cosigned = [(one.witness, one.time) for one in signed.cosigned]
        return signed

    def earlier(self, origin: str) -> list[Earlier]:
        """Read what was seen of the log before. Raises Ended."""
        found = []
        if self.options.since is not None:
            path = self.options.since
            try:
                raw = path.read_bytes()
            except OSError as error:
                raise unreadable(str(path), error.strerror or "it cannot be opened") from error
            found.append(Earlier("the checkpoint given", read_since(raw, str(path), origin), raw))
        if self.options.state is not None:
            kept = Kept(self.options.state, origin).read()
            if kept is not None:
                found.append(Earlier("the checkpoint kept", *kept))
        return found

    def count(self, taken: Iterable[Taken], total: int, *, each: bool = False) -> None:
        """Go through all events, folding them; ``each``: note every one of them. Raises Ended."""
        report = self.report
        step = max(1, total // 200)
        for entry, given in taken:
            if self.replay is not None:
                self.replay.take(entry, given)
            report.events += 1
            report.opened += len(given.parts)
            report.withheld += len(entry.parts) if given.withheld is None else len(given.withheld)
            if each:
                parts = tuple([_state(k, given) for k in range(len(entry.parts))])
                report.lines.append(
                    EventLine(entry.position, entry.version, entry.recorded_at, entry.type, parts)
                )
            if report.events % step == 0:
                self.options.progress(report.events, total)

    def bury(self, erased: dict[tuple[int, int], int]) -> None:
        """Note which parts are erased, and by which tombstones."""
        self.report.erased = len(erased)
        for i, line in enumerate(self.report.lines):
            parts = tuple(
                f"ERASED by position {erased[line.position, k]}" if (line.position, k) in erased else state
                for k, state in enumerate(line.parts)
            )
            self.report.lines[i] = EventLine(line.position, line.version, line.recorded_at, line.type, parts)
        if self.report.withheld:
            self.report.not_proven.append(
                f"that the {self.report.withheld} parts WITHHELD still exist, and what is in them"
            )

    def conclude(self, signed: Signed, shown: Shown, earlier: list[Earlier], *, live: bool) -> None:
        """Hold the evidence against what was seen before, and keep its checkpoint if all is well. Raises Ended."""
        report = self.report
        if not signed.signers:
            whose = "no key was given" if signed.note else "the log has signed no checkpoint"
            report.problems.append(
                Problem(UNAUTHENTICATED, "checkpoint", f"{whose}: anybody could have made all of this")
            )
        for one in earlier:
            problem = link(one.checkpoint, shown, one.what)
            if problem is None:
                report.earlier = f"extends {one.what}, of {one.checkpoint.size} events"
                continue
            word = "ROLLBACK: " if live else "NOT NEWER: "
            if problem.code == FORKED:
                self._put_aside(one, signed)
                word = "two histories of one log: "
            report.problems.append(
                problem._replace(detail=("" if problem.code == UNLINKED else word) + problem.detail)
            )
        if not earlier:
            report.earlier = "first contact: nothing earlier is known of this log"
            report.not_proven.append(
                "that nothing was changed before this checkpoint: it is the first one seen"
            )
        if self.options.state is not None and report.code == HOLDS:
            Kept(self.options.state, signed.checkpoint.origin).write(signed.note)
            report.kept = f"the checkpoint of {signed.checkpoint.size} events is kept for the next time"

    def _put_aside(self, one: Earlier, signed: Signed) -> None:
        self.report.notes = [(one.what, one.note), ("shown now", signed.note)]
        if self.options.state is not None:
            kept = Kept(self.options.state, signed.checkpoint.origin)
            self.report.evidence = f"both checkpoints are in {kept.put_aside(one.note, signed.note)}"


def _state(k: int, given: Given) -> str:
    if k in given.parts:
        return "OPENED"
    return "WITHHELD" if given.withheld is None or k in given.withheld else "missing"
