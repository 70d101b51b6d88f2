"""What verification found: how far the log holds, and the first place where it does not."""

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One place that does not hold, and what is wrong with it."""

    kind: Literal["position", "tile", "checkpoint", "head", "agreement"]
    at: str
    """The position; the tile as ``level/n``; the checkpoint's size; the agreement's id; empty for the head."""
    detail: str
    """A sentence for people. It quotes nothing of an event's content."""

    @property
    def place(self) -> str:
        """Such as ``position 7``, ``tile 0/3``, ``checkpoint 300``, ``agreement x`` or ``head``."""
        return f"{self.kind} {self.at}".rstrip()

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of verifying a whole log."""

    origin: str
    events: int
    """Events that hold, from position 1 on: all of the log, or the whole pages before the finding."""
    root: bytes
    """The root over those events, recomputed from their entries, 32 bytes."""
    parts: int
    """Parts that are open and fit their commitments."""
    erased: int
    """Parts that are gone, each with its tombstone."""
    tiles: int
    """Full tiles that hold."""
    checkpoints: int
    """Checkpoints whose root is the recomputed one."""
    finding: Finding | None = None
    """The first place that does not hold."""

    @property
    def ok(self) -> bool:
        """True when everything holds."""
        return self.finding is None


class Broken(Exception):
    """Ends the walk at the first place that does not hold."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def at_position(position: int, detail: str) -> Broken:
    """Say that an event, or one of its parts, does not hold."""
    return Broken(Finding("position", str(position), detail))


def at_tile(level: int, n: int, detail: str) -> Broken:
    """Say that a tile does not hold."""
    return Broken(Finding("tile", f"{level}/{n}", detail))


def at_checkpoint(size: int, detail: str) -> Broken:
    """Say that a checkpoint does not hold."""
    return Broken(Finding("checkpoint", str(size), detail))


def at_head(detail: str) -> Broken:
    """Say that the head does not hold."""
    return Broken(Finding("head", "", detail))


def at_agreement(agreement: str, detail: str) -> Broken:
    """Say that what is kept beside the log of an agreement is not what its events say."""
    return Broken(Finding("agreement", agreement, detail))
