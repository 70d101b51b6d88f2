"""Scrubbing: making a database give up the bytes of rows that it has deleted."""

import logging
from typing import Any

from sqlalchemy import Connection, Engine, text

from registry.projections.model import SCHEMA
from registry.projections.words import forget

log = logging.getLogger(__name__)

VACUUMED = "event_part"
"""The table of facts from which rows go."""
STATISTICS = "pg_catalog.pg_statistic"
"""What PostgreSQL remembers of the values in all tables; the owner of the database may vacuum it."""

WORD_INDEXES = text(
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am a ON a.oid = c.relam "
    f"WHERE a.amname = 'gin' AND c.relkind = 'i' AND n.nspname = '{SCHEMA}' ORDER BY 1"
)
READ_MODELS = text(
    f"SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
    f"WHERE schemaname = '{SCHEMA}' ORDER BY 1"
)
# What a snapshot can still see stays; autovacuum's own snapshots do not count, nor those of other databases.
STILL_SEEN = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend' AND age(backend_xmin) > age(CAST(:since AS xid))"
)


class Scrubber:
    """Scrubs one database, through the engine that writes to it. Belongs to one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._since: tuple[int, str] | None = None
        """For which position, and as of which transaction, old snapshots are waited for."""

    def scrub(self, position: int) -> bool:
        """Remove the bytes of whatever was deleted up to now; False while somebody may still read them.

        ``position`` is that of the last erasure, whose rows have gone from all tables.
        """
        if self._engine.dialect.name == "postgresql":
            return self._scrub_postgresql(position)
        with self._engine.begin() as connection:
            forget(connection)
        return truncate_wal(self._engine)

    def _scrub_postgresql(self, position: int) -> bool:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self._since is None or self._since[0] != position:
                self._since = position, str(connection.scalar(text("SELECT pg_current_xact_id()::xid::text")))
            if connection.scalar(STILL_SEEN, {"since": self._since[1]}):
                return False
            # Vacuum leaves the words of an index where they were, without the rows that had them.
            for index in connection.scalars(WORD_INDEXES).all():
                connection.exec_driver_sql(f"REINDEX INDEX {index}")
            tables = [VACUUMED, *connection.scalars(READ_MODELS).all(), STATISTICS]
            for table in tables:
                if _may_vacuum(connection, table):  # the statistics of a table keep values of it, too
                    connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")
                else:
                    log.warning("%s is to be vacuumed by its owner: this role may not", table)
        self._since = None
        return True


def truncate_wal(engine: Engine) -> bool:
    """Bring the whole WAL of a SQLite database into its file and empty it; False while a reader is in the way."""
    raw: Any = engine.raw_connection()  # a checkpoint cannot be part of a transaction
    try:
        busy, *_ = raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        raw.close()
    return not busy


def _may_vacuum(connection: Connection, table: str) -> bool:
    """Tell whether this role may vacuum a table: as its owner, that of the database, or by a grant (from 17 on)."""
    version = connection.dialect.server_version_info or (0,)
    granted = " OR has_table_privilege(c.oid, 'MAINTAIN')" if version >= (17,) else ""
    return bool(
        connection.scalar(
            text(
                "SELECT pg_has_role(c.relowner, 'USAGE') OR (NOT c.relisshared AND pg_has_role(d.datdba, 'USAGE'))"
                f"{granted} FROM pg_class c, pg_database d "
                f"WHERE c.oid = '{table}'::regclass AND d.datname = current_database()"
            )
        )
    )
