"""Who was shown personal values, entries and evidence: a table that only grows, like the log."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("n", Number, sa.Identity(always=True), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column(
            "what", sa.Text, nullable=False, comment="a method and the template of a route, or a command"
        ),
        sa.Column("agreement", sa.Text),
        sa.Column("position", sa.BigInteger),
        sa.Column("asked", sa.Text, comment="SHA-256 of path and query, in hexadecimal"),
        sa.Column("reason", sa.Text),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER access_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON access_log "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for operation in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER access_log_no_{operation.lower()} BEFORE {operation} ON access_log "
            f"BEGIN SELECT RAISE(ABORT, '{operation} on access_log is refused: the log only grows'); END"
        )
