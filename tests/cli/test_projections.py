import pytest

from cli.servers import serving
from registry.cli.demo import STORY
from registry.cli.exits import DONE, REFUSED, UNREACHABLE
from registry.projections.catalogue import CATALOGUE
from registry.projections.parking import park
from registry.store.database import open_writer

FIRST = CATALOGUE[0]
AGREEMENT = "pak-slv-2025-digital-assets"


@pytest.fixture
def told(registry, sqlite_url):
    """A database that has heard both reports, and whose read models nobody has built."""
    for report in STORY:
        assert registry("append", report, "--database", sqlite_url).code == DONE
    return sqlite_url


def parked(url):
    engine = open_writer(url)
    with engine.begin() as connection:
        park(connection, FIRST, AGREEMENT, 3, "ValueError")
    engine.dispose()


def test_what_nobody_has_built_is_said_and_then_built(registry, told):
    ran = registry("projections", "status", "--database", told)
    assert ran.code == REFUSED
    assert ran.out.count("not begun") == len(CATALOGUE)
    for model in CATALOGUE:
        ran = registry("projections", "rebuild", model.name, "--database", told)
        assert (ran.code, ran.out) == (DONE, f"{model.name} was built anew: generation 1 is live\n")
    ran = registry("projections", "status", "--database", told, "--json")
    assert ran.code == DONE
    assert {item["generations"][0]["position"] for item in ran.json["items"]} == {71}


def test_all_are_built_anew_and_compared_by_one_command(registry, told):
    ran = registry("projections", "rebuild", "--all", "--database", told)
    assert ran.code == DONE
    assert ran.out.splitlines() == [
        f"{model.name} was built anew: generation 1 is live" for model in CATALOGUE
    ]
    ran = registry("projections", "rebuild", "--all", "--check", "--database", told)
    assert (ran.code, ran.out.splitlines()) == (DONE, [f"{model.name}: 0 rows differ" for model in CATALOGUE])
    ran = registry("projections", "rebuild", "--all", "--json", "--database", told)
    assert ran.json["items"] == [{"name": model.name, "generation": 2} for model in CATALOGUE]


def test_all_are_built_anew_through_the_server_that_holds_the_database(registry, told):
    with serving("serve", "--port", "0", database=told, auth="off") as server:
        ran = registry("projections", "rebuild", "--all", "--json", "--url", server.url)
    assert ran.code == DONE
    assert [item["name"] for item in ran.json["items"]] == [model.name for model in CATALOGUE]


def test_rows_that_are_as_they_should_be(registry, told):
    registry("projections", "rebuild", FIRST.name, "--database", told)
    ran = registry("projections", "rebuild", FIRST.name, "--check", "--database", told)
    assert (ran.code, ran.out) == (DONE, f"{FIRST.name}: 0 rows differ\n")
    ran = registry("projections", "rebuild", FIRST.name, "--check", "--json", "--database", told)
    assert ran.json == {"name": FIRST.name, "differences": []}


def test_rows_that_somebody_has_changed_are_printed(registry, told):
    registry("projections", "rebuild", FIRST.name, "--database", told)
    engine = open_writer(told)
    with engine.begin() as connection:
        connection.execute(FIRST.tables(1, "sqlite")[""].delete())
    engine.dispose()
    ran = registry("projections", "rebuild", FIRST.name, "--check", "--database", told)
    assert ran.code == REFUSED
    assert ran.out.startswith(f"rebuilt only: {FIRST.name} {AGREEMENT}")


@pytest.mark.parametrize("act", ["retry", "skip"])
def test_what_is_parked_is_shown_and_settled(registry, told, act):
    registry("projections", "rebuild", FIRST.name, "--database", told)
    parked(told)
    ran = registry("projections", "status", "--database", told)
    assert ran.code == REFUSED
    assert f"parked in {FIRST.name}: {AGREEMENT} from position 3, ValueError" in ran.out
    assert "a secret" not in ran.out
    ran = registry("projections", act, FIRST.name, AGREEMENT, "--database", told)
    assert (ran.code, ran.out) == (DONE, f"{AGREEMENT} in {FIRST.name}: {act}\n")
    ran = registry("projections", "skip", FIRST.name, "another", "--database", told)
    assert ran.code == REFUSED
    assert "not parked" in ran.err


def test_while_a_server_holds_the_database_it_is_gone_through(registry, told):
    with serving("serve", "--port", "0", database=told, auth="off") as server:
        ran = registry("projections", "rebuild", FIRST.name, "--database", told)
        assert ran.code == DONE
        assert f"the server at {server.url} writes the database; going through it" in ran.err
        ran = registry("projections", "rebuild", FIRST.name, "--check", "--url", server.url)
        assert (ran.code, ran.out) == (DONE, f"{FIRST.name}: 0 rows differ\n")
        for act in ("retry", "skip"):
            ran = registry("projections", act, FIRST.name, AGREEMENT, "--url", server.url, "--json")
            assert ran.code == REFUSED
            assert "not parked" in ran.err
        ran = registry("projections", "status", "--url", server.url, "--json")
        assert len(ran.json["items"]) == len(CATALOGUE)
    ran = registry("projections", "status", "--url", server.url)
    assert ran.code == UNREACHABLE


def test_a_database_that_another_command_holds(registry, told):
    from registry.cli.exits import LOCKED
    from registry.store.lock import WriteLock

    with WriteLock(told):
        assert registry("projections", "rebuild", FIRST.name, "--database", told).code == LOCKED
        assert registry("projections", "status", "--database", told).code == REFUSED
