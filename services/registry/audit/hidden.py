"""Whether the table of restricted agreements says what the log says: it decides who may read, and nothing seals it."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from registry.audit.facts import Connects
from registry.audit.report import at_agreement
from registry.store.restricted import find_all
from registry.store.tables import restricted

UNLISTED = "its events restrict it, and it is not listed: everybody may read it"
LISTED = "it is listed as restricted, and its events do not say so"


def check_restricted(engine: Connects) -> None:
    """Hold the table against the log. Raises Broken with the first agreement, by its id, that differs."""
    with engine.connect() as connection:
        differing = sorted(_differing(connection))
    if differing:
        raise at_agreement(*differing[0])


def _differing(connection: Connection) -> set[tuple[str, str]]:
    """Find what differs, twice if anything does: on a log that grows an agreement may change in between."""
    differing = set(_compared(connection))
    return differing and differing & set(_compared(connection))


def _compared(connection: Connection) -> Iterator[tuple[str, str]]:
    before = _listed(connection)
    told = set(find_all(connection))
    after = _listed(connection)
    yield from ((agreement, UNLISTED) for agreement in told - before - after)
    yield from ((agreement, LISTED) for agreement in (before & after) - told)


def _listed(connection: Connection) -> set[str]:
    return set(connection.scalars(select(restricted.c.agreement)))
