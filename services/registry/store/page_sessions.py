"""Sessions of the pages as rows, so that every replica knows them. Of the cookie only its SHA-256 is kept."""

import secrets
from functools import partial
from hashlib import sha256

import msgspec
from sqlalchemy import Engine, delete, or_, select, update

from registry.store.api_keys import now
from registry.store.database import reachable
from registry.store.tables import page_session

IDLE = 2 * 3600
"""Seconds after which a session that is not used is over."""
LONGEST = 12 * 3600
"""Seconds after which every session is over."""
COARSE = 60
"""Seconds within which the use of a session is not written down again."""

_MICROSECONDS = 1_000_000


class Session(msgspec.Struct, frozen=True):
    """Somebody who has signed in with a key."""

    key_id: str
    until: float
    """When it is over if it is not used again, in seconds since 1970."""
    stale: bool
    """Whether its use is to be written down."""


def open_one(engine: Engine, key_id: str) -> str:
    """Begin a session, and forget those that are over. Returns the value of its cookie. Raises Unavailable."""
    cookie, at = secrets.token_urlsafe(32), now()
    over = or_(
        page_session.c.opened_at < at - LONGEST * _MICROSECONDS,
        page_session.c.used_at < at - IDLE * _MICROSECONDS,
    )
    row = {"hash": hashed(cookie), "key_id": key_id, "opened_at": at, "used_at": at}
    with reachable(), engine.begin() as connection:
        connection.execute(delete(page_session).where(over))
        connection.execute(page_session.insert().values(row))
    return cookie


def find(engine: Engine, cookie: str) -> Session | None:
    """Find a session that is not over. Raises Unavailable."""
    with reachable(), engine.connect() as connection:
        row = connection.execute(select(page_session).where(page_session.c.hash == hashed(cookie))).first()
    if row is None:
        return None
    at = now() / _MICROSECONDS
    used = row.used_at / _MICROSECONDS
    until = min(row.opened_at / _MICROSECONDS + LONGEST, used + IDLE)
    return Session(row.key_id, until, at - used > COARSE) if at < until else None


def note_used(engine: Engine, cookie: str) -> None:
    """Write down that a session is used. Raises Unavailable."""
    with reachable(), engine.begin() as connection:
        connection.execute(
            update(page_session).where(page_session.c.hash == hashed(cookie)).values(used_at=now())
        )


def close(engine: Engine, cookie: str) -> None:
    """End a session; one that is not there is ended already. Raises Unavailable."""
    with reachable(), engine.begin() as connection:
        connection.execute(delete(page_session).where(page_session.c.hash == hashed(cookie)))


def hashed(cookie: str) -> bytes:
    """Give what is stored of a cookie: it is random, so that one round of SHA-256 is enough."""
    return sha256(cookie.encode()).digest()


class PageSessions:
    """The functions above on the engines of one process."""

    def __init__(self, writing: Engine, reading: Engine) -> None:
        self.open_one = partial(open_one, writing)
        self.find = partial(find, reading)
        self.note_used = partial(note_used, writing)
        self.close = partial(close, writing)
