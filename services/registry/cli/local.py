"""Appending to the database of this machine, without a server."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from registry.audit.keys import kept_path
from registry.audit.standing import Behind, Kept, look
from registry.cli.database import check_revision, require_file, writer_engine
from registry.cli.lines import Line
from registry.cli.outcome import Outcome
from registry.config import Settings
from registry.domain import cloudevents, strict_json
from registry.domain.codec import split
from registry.errors import RegistryError, TooLarge, Unavailable
from registry.store.forecast import forecast
from registry.store.group import Request
from registry.store.principals import principal_id
from registry.store.reader import Reader
from registry.store.receipt import Forecast, Receipt
from registry.store.sequencer import MOST_PARTS
from registry.store.states import States
from registry.store.writer import Writer

Commit = Callable[[Sequence[Request]], Sequence[Sequence[Receipt | Forecast] | Exception]]
"""What becomes of requests: they are committed, or only tried."""


class Local:
    """Appends to the database itself. Each event is a request of its own, so none can fail its neighbours."""

    def __init__(self, commit: Commit, principal: str, max_event_bytes: int) -> None:
        self._commit = commit
        self._principal = principal
        self._most = max_event_bytes

    def prepare(self, line: Line) -> Request:
        """Read one event. Raises Malformed, Invalid or TooLarge."""
        if len(line.raw) > self._most:
            raise TooLarge(f"an event has at most {self._most:,} bytes, this one has {len(line.raw):,}")
        posted = cloudevents.posted(strict_json.decode(line.raw))
        parts = split(posted.type, posted.body, posted.attrs, self._principal)
        if len(parts) > MOST_PARTS:
            raise TooLarge(f"an event names at most {MOST_PARTS - 1} persons")
        return Request([posted], [parts])

    def append(self, events: Sequence[Request]) -> list[Outcome | RegistryError]:
        """Append in one transaction. Raises Unavailable when the database cannot be reached."""
        return [_outcome(answer) for answer in self._commit(events)]


@contextmanager
def local(settings: Settings, *, dry: bool = False) -> Iterator[Local]:
    """Open a database of this version to append to it, under the lock. Raises Stop or Unavailable.

    ``dry``: events are held against what is recorded, and nothing is written of them.
    """
    require_file(settings)
    with writer_engine(settings) as engine:
        reader = Reader(engine)
        check_revision(reader.revision())
        require_standing(settings, reader)
        principal = principal_id(engine, "command", "command line")
        states = States(settings.state_cache_events)
        commit: Commit = partial(forecast, engine, states) if dry else Writer(engine, states).commit
        yield Local(commit, principal, settings.max_event_bytes)


def require_standing(settings: Settings, reader: Reader) -> None:
    """Refuse to append to a log that is behind what it has signed, as the service does. Raises Unavailable."""
    path = kept_path(settings)
    try:
        look(reader, Kept(path) if path is not None else None)
    except Behind as error:
        raise Unavailable(str(error)) from error


def _outcome(answer: Sequence[Receipt | Forecast] | Exception) -> Outcome | RegistryError:
    if isinstance(answer, RegistryError):
        return answer
    if isinstance(answer, Exception):
        raise answer
    (one,) = answer
    return Outcome(
        position=one.position if isinstance(one, Receipt) else 0,
        replayed=one.replayed,
        warnings=tuple(f"{warning.code}: {warning.detail}" for warning in one.warnings),
    )
