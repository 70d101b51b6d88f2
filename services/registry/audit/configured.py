"""Whom this registry knows: the witnesses it asks, and the logs for which it is a witness itself.

Both stand in files with a line each; nothing is ever fetched from, or cosigned for, anybody else.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from registry.audit.keys import KeyFault, log_keys
from registry.config import Settings, is_loopback
from registry.merkle.note import COSIGNATURE, ED25519, VerifierKey, parse_verifier_key


class WitnessAddress(NamedTuple):
    """A witness that is asked for cosignatures."""

    key: VerifierKey
    url: str
    """Where checkpoints are sent."""


def witnesses(path: Path) -> list[WitnessAddress]:
    """Read a line a witness: its verifier key and the URL before ``/add-checkpoint``. Raises KeyFault."""
    found = []
    for where, words in _lines(path):
        key = _key(where, words[0], COSIGNATURE)
        parts = urlsplit(words[1] if len(words) == 2 else "")  # noqa: PLR2004
        secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        if not secure or not parts.hostname or parts.query or parts.fragment:
            raise KeyFault(
                f"{where}: behind the key of a witness comes its URL, with https unless on this machine"
            )
        found.append(WitnessAddress(key, f"{words[1].rstrip('/')}/add-checkpoint"))
    if len({witness.key for witness in found}) != len(found):
        raise KeyFault(f"{path}: a witness stands there once")
    return found


def witness_keys(settings: Settings) -> tuple[VerifierKey, ...]:
    """Read the keys of the witnesses that are asked for cosignatures. Raises KeyFault."""
    if not settings.witnesses_file:
        return ()
    return tuple(each.key for each in witnesses(Path(settings.witnesses_file)))


def known_logs(path: Path) -> dict[str, tuple[VerifierKey, ...]]:
    """Read a line a log: its verifier key, and its origin if it is not the name of the key. Raises KeyFault.

    A log that changes its key has a line for each.
    """
    found: dict[str, tuple[VerifierKey, ...]] = {}
    for where, words in _lines(path):
        key = _key(where, words[0], ED25519)
        if len(words) > 2:  # noqa: PLR2004
            raise KeyFault(f"{where}: behind the key of a log comes its origin and nothing else")
        origin = words[-1] if len(words) == 2 else key.name  # noqa: PLR2004
        found[origin] = (*found.get(origin, ()), key)
    return found


def public_keys(settings: Settings, origin: str) -> tuple[VerifierKey, ...]:
    """Give what the checkpoints of this log are verified with: its own keys, then those of its witnesses.

    Whoever takes them from the registry itself has still to ask somebody else whether they are right. Raises
    KeyFault.
    """
    own = tuple(key.verifier_key(origin) for key in log_keys(settings, make=False))
    asked = witnesses(Path(settings.witnesses_file)) if settings.witnesses_file else []
    return (*own, *(witness.key for witness in asked))


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the place and the words of every line that is not empty and no comment."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise KeyFault(f"cannot read {path}: {error}") from error
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield f"{path}, line {number}", words


def _key(where: str, text: str, type_: int) -> VerifierKey:
    try:
        key = parse_verifier_key(text)
    except ValueError as error:
        raise KeyFault(f"{where}: {error}") from error
    if key.type != type_:
        raise KeyFault(f"{where}: the key is not one of a {'witness' if type_ == COSIGNATURE else 'log'}")
    return key
