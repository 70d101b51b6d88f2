"""API keys as rows: made, listed, revoked. Of the key itself only its SHA-256 is kept."""

import math
import re
import time
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from functools import partial

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, func, or_, select, update

from registry.access import KEY, SCOPES, Principal
from registry.domain.attributes import source_flaw
from registry.domain.values import ID_PATTERN, IN_WORDS
from registry.errors import Flaw, Invalid, NotFound
from registry.store.database import reachable
from registry.store.key_text import hashed, new_key
from registry.store.principals import principal_id
from registry.store.tables import api_key

MOST_LABEL = 80

_PARTY = re.compile(ID_PATTERN)


class KeyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a new key is to be."""

    label: str
    """Whose it is. Keys of one label are of one principal, so that a key can be replaced."""
    scopes: tuple[str, ...]
    sources: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    expires: date | None = None
    """The last day on which it works, in UTC."""


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is listed; nothing of it is secret."""

    id: str
    label: str
    scopes: tuple[str, ...]
    sources: tuple[str, ...]
    parties: tuple[str, ...]
    created: datetime
    expires: date | None
    revoked: datetime | None
    last_used: date | None
    """A day on which it was used, not far from the last one."""


class LiveKey(msgspec.Struct, frozen=True):
    """A key that has not been revoked, as the service checks requests against it."""

    id: str
    hash: bytes
    principal: Principal
    ends: float
    """When it stops working, in seconds since 1970; infinite for one that does not."""
    last_used: str


def create(engine: Engine, request: KeyRequest) -> tuple[str, str]:
    """Make a key. Returns its id and the key, which nobody can read again. Raises Invalid or Unavailable."""
    if flaws := flaws_of(request):
        raise Invalid("this makes no key", flaws)
    holder = principal_id(engine, KEY, request.label)
    id, text = new_key()
    row = {
        "id": id,
        "principal": holder,
        "label": request.label,
        "hash": hashed(text),
        "scopes": " ".join(sorted(set(request.scopes))),
        "sources": _written(request.sources),
        "parties": _written(request.parties),
        "created_at": now(),
        "ends_at": None if request.expires is None else _end_of(request.expires),
    }
    with reachable(), engine.begin() as connection:
        connection.execute(api_key.insert().values(row))
    return id, text


def flaws_of(request: KeyRequest) -> list[Flaw]:
    """Say what is wrong with what a key is to be."""
    flaws = []
    if not 0 < len(request.label) <= MOST_LABEL or not request.label.isprintable():
        flaws.append(Flaw("/label", f"is not 1 to {MOST_LABEL} printable characters"))
    if not request.scopes:
        flaws.append(Flaw("/scopes", "is empty: the key could do nothing"))
    for place, scope in enumerate(request.scopes):
        if scope not in SCOPES:
            flaws.append(Flaw(f"/scopes/{place}", f"is no scope; scopes are {', '.join(SCOPES)}"))
    for place, source in enumerate(request.sources):
        if flaw := source_flaw(source):
            flaws.append(Flaw(f"/sources/{place}", flaw))
    for place, party in enumerate(request.parties):
        if not _PARTY.fullmatch(party):
            flaws.append(Flaw(f"/parties/{place}", f"is not {IN_WORDS[ID_PATTERN]}"))
    if request.expires is not None and request.expires < datetime.now(UTC).date():
        flaws.append(Flaw("/expires", "is over"))
    return flaws


def listed(engine: Engine) -> list[KeyRow]:
    """List every key, the oldest first, revoked ones as well. Raises Unavailable."""
    with reachable(), engine.connect() as connection:
        rows = connection.execute(select(api_key).order_by(api_key.c.created_at, api_key.c.id))
        return [_shown(row) for row in rows.mappings()]


def shown(engine: Engine, id: str) -> KeyRow:
    """Read one key. Raises NotFound or Unavailable."""
    with reachable(), engine.connect() as connection:
        return _shown(_row_of(connection, id))


def revoke(engine: Engine, id: str) -> KeyRow:
    """Revoke a key, for good; one that is revoked already stays so. Raises NotFound or Unavailable."""
    with reachable(), engine.begin() as connection:
        still = (api_key.c.id == id) & api_key.c.revoked_at.is_(None)
        connection.execute(update(api_key).where(still).values(revoked_at=now()))
        return _shown(_row_of(connection, id))


def revoke_label(engine: Engine, label: str) -> None:
    """Revoke every key of a label. Raises Unavailable."""
    with reachable(), engine.begin() as connection:
        still = (api_key.c.label == label) & api_key.c.revoked_at.is_(None)
        connection.execute(update(api_key).where(still).values(revoked_at=now()))


class Keys:
    """The keys of one database, for whoever operates them: the functions above on one engine."""

    def __init__(self, engine: Engine) -> None:
        self.create = partial(create, engine)
        self.listed = partial(listed, engine)
        self.shown = partial(shown, engine)
        self.revoke = partial(revoke, engine)


Stamp = tuple[int, int]
"""How many keys there are, and how many are revoked. Neither number ever falls, so it changes with any change."""


def read_live(engine: Engine, known: Stamp | None) -> tuple[Stamp, list[LiveKey] | None]:
    """Read the keys that are not revoked, unless nothing has changed since ``known``. Raises Unavailable."""
    with reachable(), engine.connect() as connection:
        counted = connection.execute(select(func.count(), func.count(api_key.c.revoked_at))).one()
        stamp = (int(counted[0]), int(counted[1]))
        if stamp == known:
            return stamp, None
        rows = connection.execute(select(api_key).where(api_key.c.revoked_at.is_(None)))
        return stamp, [_live(row) for row in rows.mappings()]


def note_used(engine: Engine, ids: Collection[str], day: str) -> None:
    """Note on which day keys were used. Raises Unavailable."""
    earlier = or_(api_key.c.last_used.is_(None), api_key.c.last_used < day)
    with reachable(), engine.begin() as connection:
        connection.execute(
            update(api_key).where(api_key.c.id.in_(sorted(ids)), earlier).values(last_used=day)
        )


def now() -> int:
    """Tell the time in microseconds since 1970."""
    return time.time_ns() // 1000


def _row_of(connection: Connection, id: str) -> RowMapping:
    row = connection.execute(select(api_key).where(api_key.c.id == id)).mappings().first()
    if row is None:
        raise NotFound("there is no key with this id")
    return row


def _live(row: RowMapping) -> LiveKey:
    return LiveKey(
        id=row["id"],
        hash=row["hash"],
        principal=Principal(
            id=row["principal"],
            kind=KEY,
            label=row["label"],
            scopes=frozenset(row["scopes"].split()) & SCOPES.keys(),
            sources=_read(row["sources"]),
            parties=_read(row["parties"]),
        ),
        ends=math.inf if row["ends_at"] is None else row["ends_at"] / 1e6,
        last_used=row["last_used"] or "",
    )


def _shown(row: RowMapping) -> KeyRow:
    return KeyRow(
        id=row["id"],
        label=row["label"],
        scopes=tuple(row["scopes"].split()),
        sources=_read(row["sources"]),
        parties=_read(row["parties"]),
        created=_time(row["created_at"]),
        expires=None if row["ends_at"] is None else (_time(row["ends_at"]) - timedelta(days=1)).date(),
        revoked=None if row["revoked_at"] is None else _time(row["revoked_at"]),
        last_used=None if row["last_used"] is None else date.fromisoformat(row["last_used"]),
    )


def _written(texts: tuple[str, ...]) -> str:
    return msgspec.json.encode(sorted(set(texts))).decode()


def _read(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def _end_of(day: date) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return int(midnight.timestamp()) * 1_000_000


def _time(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC)
