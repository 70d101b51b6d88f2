"""The log: events, their parts, the tree over them, and what follows it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Position = sa.BigInteger().with_variant(sa.Integer, "sqlite")

# (table, what is refused). A part may be deleted by an erasure, the head moves with every append.
REFUSED = (
    ("event", ("UPDATE", "DELETE", "TRUNCATE")),
    ("event_part", ("UPDATE", "TRUNCATE")),
    ("log_tile", ("UPDATE", "DELETE", "TRUNCATE")),
    ("log_checkpoint", ("UPDATE", "DELETE", "TRUNCATE")),
    ("log_signature", ("UPDATE", "DELETE", "TRUNCATE")),
    ("log_head", ("DELETE", "TRUNCATE")),
)


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("position", Position, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("stream_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column(
            "recorded_at", sa.BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"
        ),
        sa.Column("entry", sa.LargeBinary, nullable=False, comment="the exact bytes hashed into the leaf"),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("source", "event_id", name="event_identity"),
        sa.UniqueConstraint("stream_id", "version", name="event_stream_version"),
        sa.CheckConstraint("position >= 1", name="event_position_from_one"),
        sa.CheckConstraint("version >= 0", name="event_version_not_negative"),
    )
    op.create_table(
        "event_part",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("part_no", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False, comment="256 hashes of 32 bytes"),
        sa.Column("root", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column(
            "frontier",
            sa.LargeBinary,
            nullable=False,
            comment="roots of the perfect subtrees, largest first",
        ),
        sa.Column(
            "recorded_at", sa.BigInteger, nullable=False, comment="of the last event; 0 in an empty log"
        ),
        sa.CheckConstraint("id = 1", name="log_head_is_one_row"),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_signature",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("key_id", sa.LargeBinary, primary_key=True),
        sa.Column(
            "time",
            sa.BigInteger,
            nullable=False,
            comment="seconds since 1970; 0 where the algorithm has none",
        ),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "witnessed",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "tracking",
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_table(
        "parked",
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("from_position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("resolution", sa.Text),
    )
    op.create_table(
        "principal",
        sa.Column("id", sa.Text, primary_key=True, comment="a random UUID; it alone stands in the log"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
    )
    op.create_index("principal_by_kind_and_label", "principal", ["kind", "label"], unique=True)
    if op.get_bind().dialect.name == "postgresql":
        refuse_on_postgresql()
    else:
        refuse_on_sqlite()


def refuse_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% on % is refused: the log only grows', TG_OP, TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table, operations in REFUSED:
        events = " OR ".join(operations)
        op.execute(
            f"CREATE TRIGGER {table}_only_grows BEFORE {events} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def refuse_on_sqlite() -> None:
    for table, operations in REFUSED:
        for operation in operations:
            if operation != "TRUNCATE":  # a DELETE without WHERE, which fires the trigger here
                op.execute(
                    f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{operation} on {table} is refused: the log only grows'); END"
                )
