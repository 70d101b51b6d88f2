"""Principals: whoever posts, as a random id in the log and a label beside it."""

from collections.abc import Collection
from uuid import uuid4

from sqlalchemy import Connection, Engine, exc, select

from registry.store.database import reachable
from registry.store.tables import principal


def principal_id(engine: Engine, kind: str, label: str) -> str:
    """Return the id of a principal, making one up the first time it is asked for.

    Only the random UUID ever stands in an event, so that the log itself names nobody.
    Raises Unavailable when the database cannot be reached.
    """
    known = select(principal.c.id).where(principal.c.kind == kind, principal.c.label == label)
    with reachable():
        with engine.connect() as connection:
            found: str | None = connection.scalar(known)
        if found is not None:
            return found
        made = str(uuid4())
        try:
            with engine.begin() as connection:
                connection.execute(principal.insert().values(id=made, kind=kind, label=label))
        except exc.IntegrityError:  # another process was first
            with engine.connect() as connection:
                made = connection.scalars(known).one()
        return made


def labels_of(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """Give the labels of principals by their ids."""
    wanted = select(principal.c.id, principal.c.label).where(principal.c.id.in_(list(ids)))
    return {row.id: row.label for row in connection.execute(wanted)}
