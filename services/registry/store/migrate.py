"""Migrations: bring the tables of facts to this version, and found the log."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, select, text

from registry.store.tables import APPEND_ONLY, log_head, metadata

if TYPE_CHECKING:
    from alembic.config import Config

PACKAGE = Path(__file__).resolve().parent.parent


def resource(name: str) -> Path:
    """Find ``migrations`` or ``contracts``: inside an installed package first, then in the checkout."""
    installed = PACKAGE / f"_{name}"
    return installed if installed.is_dir() else PACKAGE.parent.parent / name


def alembic_config(connection: Connection | None = None) -> "Config":
    """Return Alembic's configuration; there is no ini file."""
    from alembic.config import Config  # loaded by who migrates: it takes longer than all else a command does

    config = Config()
    config.set_main_option("script_location", str(resource("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(engine: Engine, *, origin: str = "", service_role: str = "") -> tuple[str | None, str]:
    """Bring the database to the newest revision and found the log if it is new.

    ``origin`` names a new log and is ignored by one that exists; a random name on ``registry.localhost``
    is taken when it is empty. ``service_role`` is granted what the service may do (PostgreSQL).
    Returns the revision before and after.
    """
    newest = newest_revision()
    with engine.begin() as connection:
        before = current_revision(connection)
        if before != newest:
            from alembic import command  # a start that finds everything done goes without

            command.upgrade(alembic_config(connection), "head")
        if connection.execute(select(log_head.c.id)).first() is None:
            name = origin or f"registry.localhost/{secrets.token_hex(4)}"
            connection.execute(
                log_head.insert().values(id=1, origin=name, size=0, frontier=b"", recorded_at=0)
            )
        if service_role and connection.dialect.name == "postgresql":
            grant(connection, service_role)
        return before, newest


def current_revision(connection: Connection) -> str | None:
    """Return the revision the database is at; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def newest_revision() -> str:
    """Return the revision this version of the code needs: the largest number that a migration's file begins with."""
    return max(
        path.name.partition("_")[0] for path in (resource("migrations") / "versions").glob("[0-9]*_*.py")
    )


def grant(connection: Connection, role: str) -> None:
    """Grant the service role what it needs and nothing more: no UPDATE or DELETE on what is append-only.

    ``role`` has been checked against ``[a-z_][a-z0-9_]*`` in the settings, so it can stand in the statement.
    """
    schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
    for table in metadata.sorted_tables:
        connection.execute(text(f"REVOKE ALL ON {table.name} FROM {role}"))
        if table.name in APPEND_ONLY:
            rights = "SELECT, INSERT"
        elif table.name == "event_part":
            rights = "SELECT, INSERT, DELETE"  # erasure deletes a part; nothing ever changes one
        elif table.name == "log_head":
            rights = "SELECT, UPDATE"
        else:
            rights = "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(text(f"GRANT {rights} ON {table.name} TO {role}"))
    if (connection.dialect.server_version_info or (0,)) >= (
        17,
    ):  # before, its owner vacuums after an erasure
        connection.execute(text(f"GRANT MAINTAIN ON event_part TO {role}"))
    connection.execute(text(f"GRANT SELECT ON alembic_version TO {role}"))
    connection.execute(text(f"GRANT USAGE, CREATE ON SCHEMA read_model TO {role}"))
