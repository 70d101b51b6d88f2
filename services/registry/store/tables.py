"""The tables of facts. Alembic migrates them; read models are elsewhere and disposable."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

# On SQLite only an INTEGER PRIMARY KEY keeps a row's place; VACUUM may renumber an implicit rowid.
Position = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

event = Table(
    "event",
    metadata,
    Column("position", Position, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("stream_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"),
    Column("entry", LargeBinary, nullable=False, comment="the exact bytes hashed into the leaf"),
    Column("leaf_hash", LargeBinary, nullable=False),
    UniqueConstraint("source", "event_id", name="event_identity"),
    UniqueConstraint("stream_id", "version", name="event_stream_version"),
    CheckConstraint("position >= 1", name="event_position_from_one"),
    CheckConstraint("version >= 0", name="event_version_not_negative"),
)
"""One immutable row an event. Every column but the last two copies a field of the entry."""

event_part = Table(
    "event_part",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("part_no", SmallInteger, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""The only table of facts from which a row may ever go: an erased part is gone with its salt."""

log_tile = Table(
    "log_tile",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False, comment="256 hashes of 32 bytes"),
    Column("root", LargeBinary, nullable=False),
)
"""Full tiles only, never rewritten."""

log_head = Table(
    "log_head",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False, comment="roots of the perfect subtrees, largest first"),
    Column("recorded_at", BigInteger, nullable=False, comment="of the last event; 0 in an empty log"),
    CheckConstraint("id = 1", name="log_head_is_one_row"),
)
"""The one serial point: locked, advanced and carrying the Merkle frontier."""

log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
)

log_signature = Table(
    "log_signature",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("key_id", LargeBinary, primary_key=True),
    Column("time", BigInteger, nullable=False, comment="seconds since 1970; 0 where the algorithm has none"),
    Column("signature", LargeBinary, nullable=False),
)

witnessed = Table(
    "witnessed",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"),
    Column("fence", BigInteger, nullable=False),
)

tracking = Table(
    "tracking",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
)

parked = Table(
    "parked",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("stream", Text, primary_key=True),
    Column("from_position", BigInteger, primary_key=True, autoincrement=False),
    Column("error", Text, nullable=False),
    Column("resolution", Text),
)

principal = Table(
    "principal",
    metadata,
    Column("id", Text, primary_key=True, comment="a random UUID; it alone stands in the log"),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Index("principal_by_kind_and_label", "kind", "label", unique=True),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True, comment="random, no secret"),
    Column("principal", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256 of the whole key"),
    Column("scopes", Text, nullable=False, comment="separated by blanks"),
    Column("sources", Text, nullable=False, comment="a JSON array; empty: any"),
    Column("parties", Text, nullable=False, comment="a JSON array; empty: any"),
    Column("created_at", BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"),
    Column("ends_at", BigInteger, comment="microseconds since 1970-01-01T00:00:00Z; none: never"),
    Column("revoked_at", BigInteger, comment="microseconds since 1970-01-01T00:00:00Z"),
    Column("last_used", Text, comment="a day"),
)
"""A row is never deleted and a revocation never undone: so the service sees by two counts that any changed."""

page_session = Table(
    "page_session",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="SHA-256 of the cookie"),
    Column("key_id", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"),
    Column("used_at", BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z; coarse"),
)
"""Who has signed in to the pages, and with which key: a session ends with its key."""

restricted = Table("restricted", metadata, Column("agreement", Text, primary_key=True))
"""The agreements that exist only for readers with the scope for it; kept by the append that changes it."""

access_log = Table(
    "access_log",
    metadata,
    Column("n", Position, Identity(always=True), primary_key=True),
    Column("at", BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"),
    Column("principal", Text, nullable=False),
    Column("what", Text, nullable=False, comment="a method and the template of a route, or a command"),
    Column("agreement", Text),
    Column("position", BigInteger),
    Column("asked", Text, comment="SHA-256 of path and query, in hexadecimal"),
    Column("reason", Text),
)
"""Who was shown personal values, entries and evidence. It names principals by their random ids, and nobody else."""

APPEND_ONLY = ("event", "log_tile", "log_checkpoint", "log_signature", "access_log")
"""Tables whose rows neither change nor go: triggers refuse it, and so do the service role's grants."""
