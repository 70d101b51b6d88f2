"""How a verification ends: exit codes, and the exceptions that end one early."""

from typing import NamedTuple

HOLDS = 0
"""Everything holds, under a key that the auditor brought."""
TAMPERED = 1
"""Something does not hold: the first place is named."""
USAGE = 2
"""The command line is wrong; nothing was looked at."""
UNREADABLE = 3
"""The target cannot be read or reached."""
UNAUTHENTICATED = 4
"""What is there holds, but no key that the auditor brought stands for it, or not for all of it."""
FORKED = 5
"""It does not extend the checkpoint seen before: there are two histories."""
OLDER = 6
"""It is older than the checkpoint seen before: a rollback, or an old copy."""
MALFORMED = 7
"""The input is not what it claims to be, so it was not looked at further."""
UNLINKED = 8
"""It is newer than the checkpoint seen before, and nothing shows that it extends it."""
INTERRUPTED = 130

WORDS = {
    HOLDS: "HOLDS",
    TAMPERED: "DOES NOT HOLD",
    UNREADABLE: "CANNOT BE READ",
    UNAUTHENTICATED: "UNAUTHENTICATED",
    FORKED: "FORK",
    OLDER: "ROLLBACK OR OLD COPY",
    MALFORMED: "REFUSED",
    UNLINKED: "NOT LINKED",
}
"""The verdict of each code in words."""


class Problem(NamedTuple):
    """One thing that keeps the answer from being yes."""

    code: int
    place: str
    """Such as ``position 7``, ``tile 0/3``, ``checkpoint 300`` or ``manifest.json``."""
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}"


class Ended(Exception):
    """Ends the verification at the first place that does not hold, or cannot be read."""

    def __init__(self, code: int, place: str, detail: str) -> None:
        super().__init__(f"{place}: {detail}")
        self.problem = Problem(code, place, detail)


def broken(place: str, detail: str) -> Ended:
    """Say that something does not hold."""
    return Ended(TAMPERED, place, detail)


def malformed(place: str, detail: str) -> Ended:
    """Say that something is not what it claims to be."""
    return Ended(MALFORMED, place, detail)


def unreadable(place: str, detail: str) -> Ended:
    """Say that something cannot be read."""
    return Ended(UNREADABLE, place, detail)


def at(position: int) -> str:
    """Name the place of an event."""
    return f"position {position}"
