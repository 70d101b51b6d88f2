"""API keys, and the sessions of the pages that are opened with them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text, primary_key=True, comment="random, no secret"),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False, comment="SHA-256 of the whole key"),
        sa.Column("scopes", sa.Text, nullable=False, comment="separated by blanks"),
        sa.Column("sources", sa.Text, nullable=False, comment="a JSON array; empty: any"),
        sa.Column("parties", sa.Text, nullable=False, comment="a JSON array; empty: any"),
        sa.Column(
            "created_at", sa.BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"
        ),
        sa.Column("ends_at", sa.BigInteger, comment="microseconds since 1970-01-01T00:00:00Z; none: never"),
        sa.Column("revoked_at", sa.BigInteger, comment="microseconds since 1970-01-01T00:00:00Z"),
        sa.Column("last_used", sa.Text, comment="a day"),
    )
    op.create_table(
        "page_session",
        sa.Column("hash", sa.LargeBinary, primary_key=True, comment="SHA-256 of the cookie"),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column(
            "opened_at", sa.BigInteger, nullable=False, comment="microseconds since 1970-01-01T00:00:00Z"
        ),
        sa.Column(
            "used_at",
            sa.BigInteger,
            nullable=False,
            comment="microseconds since 1970-01-01T00:00:00Z; coarse",
        ),
    )
