"""The agreements that are restricted, so that every read can leave them out; those of a log that is there already."""

import sqlalchemy as sa
from alembic import op

from registry.store.restricted import find_all

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table("restricted", sa.Column("agreement", sa.Text, primary_key=True))
    if known := find_all(op.get_bind()):
        op.bulk_insert(table, [{"agreement": agreement} for agreement in known])
