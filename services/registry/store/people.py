"""Finding every part of a person in the log itself: what is about to be erased must not be looked for in a copy."""

from collections.abc import Callable, Iterator

from sqlalchemy import ColumnElement, Connection, LargeBinary, func, literal, select

from registry.errors import NotFound
from registry.store.database import reachable
from registry.store.erasure import Erased, Eraser, Parts, parts_of, people_in, rows_at
from registry.store.head import read_head
from registry.store.reader import Reader
from registry.store.tables import event_part

STRETCH = 5000
"""Positions that are looked through in one statement."""

Progress = Callable[[int, int], None]
"""Called with the position reached and the size of the log."""


def parts_of_person(
    reader: Reader, person: str, *, after: int = 0, progress: Progress = lambda _, __: None
) -> tuple[list[Parts], int]:
    """Find the parts of a person behind a position, in the order of the log, and how far the log was looked through.

    The id stands in part 0 of every event that has a part of the person, so the database looks for its letters and
    what it finds is then read. Of an event whose part 0 was erased nothing is left that could be found.
    Raises Unavailable.
    """
    found: list[Parts] = []
    with reachable():
        with reader.connect() as connection:
            size = read_head(connection).size
        while after < size:
            until = min(after + STRETCH, size)
            with reader.connect() as connection:
                found.extend(_between(connection, person, after + 1, until))
            after = until
            progress(after, size)
    return found, size


def known(found: list[Parts], person: str) -> list[Parts]:
    """Give what was found. Raises NotFound when no event ever had a part of that person."""
    if not found:
        raise NotFound(f"no event has personal values of the person {person!r}")
    return found


def _between(connection: Connection, person: str, first: int, last: int) -> Iterator[Parts]:
    statement = select(event_part.c.position).where(
        event_part.c.position.between(first, last),
        event_part.c.part_no == 0,
        _holds(connection, person.encode()),
    )
    for row in rows_at(connection, connection.scalars(statement).all()).values():
        if numbers := {number for number, who in people_in(row).items() if who == person}:
            yield parts_of(row, numbers)


def _holds(connection: Connection, letters: bytes) -> ColumnElement[bool]:
    if connection.dialect.name == "postgresql":
        return event_part.c.data.op("LIKE", is_comparison=True)(literal(b"%" + letters + b"%", LargeBinary))
    return func.instr(event_part.c.data, literal(letters, LargeBinary)) > 0


def erase_everywhere(
    eraser: Eraser,
    reader: Reader,
    person: str,
    legal_basis: str,
    principal: str,
    *,
    progress: Progress = lambda _, __: None,
) -> list[Erased]:
    """Erase all parts of a person, agreement after agreement.

    What is posted meanwhile is looked through once more at the end. An erasure that was interrupted is simply
    repeated. Raises NotFound when no event ever had a part of the person, and Unavailable.
    """
    found, size = parts_of_person(reader, person, progress=progress)
    known(found, person)
    done = _erase(eraser, found, person, legal_basis, principal)
    late, _ = parts_of_person(reader, person, after=size, progress=progress)
    return done + _erase(eraser, late, person, legal_basis, principal)


def _erase(eraser: Eraser, found: list[Parts], person: str, legal_basis: str, principal: str) -> list[Erased]:
    by_agreement: dict[str, list[int]] = {}
    for one in found:
        by_agreement.setdefault(one.agreement, []).append(one.position)
    return [
        erased
        for agreement, positions in by_agreement.items()
        for erased in eraser.erase_person(agreement, positions, person, legal_basis, principal)
    ]
