"""Keys on the command line: on a database, and through the server that holds it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from cli.posts import registered
from cli.servers import serving
from registry.cli import keys
from registry.cli.exits import DONE, REFUSED, UNREACHABLE, USAGE
from registry.store.key_text import id_of

TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()


def make(registry, database: str, *scopes: str, label: str = "a test") -> str:
    """Make a key without a server."""
    made = registry("keys", "create", "--label", label, "--scope", *scopes, "--database", database)
    assert made.code == DONE, made.err
    return made.out.strip()


def test_a_key_is_made_listed_and_revoked(registry, database_url):
    made = registry(
        *("keys", "create", "--label", "Gazette", "--scope", "events:write", "agreements:read"),
        *("--source", "https://gazette.example/", "--party", "pak", "slv", "--expires", TOMORROW),
        *("--database", database_url),
    )
    key = made.out.strip()
    id = id_of(key)
    assert (made.code, made.err) == (DONE, f"key {id} of Gazette; it is shown this once:\n")
    listed = registry("keys", "list", "--json", "--database", database_url).json["items"]
    (item,) = listed
    assert (item["id"], item["label"], item["scopes"]) == (id, "Gazette", ["agreements:read", "events:write"])
    assert (item["sources"], item["parties"], item["expires"]) == (
        ["https://gazette.example/"],
        ["pak", "slv"],
        TOMORROW,
    )
    table = registry("keys", "list", "--database", database_url).out
    assert re.search(rf"{id}.*Gazette.*https://gazette.example/, pak, slv.*{TOMORROW}.*works", table)
    assert key not in table
    revoked = registry("keys", "revoke", id, "--database", database_url)
    assert (revoked.code, revoked.out.startswith(f"key {id} of Gazette was revoked at ")) == (DONE, True)
    assert "revoked" in registry("keys", "list", "--database", database_url).out
    assert registry("keys", "revoke", id, "--json", "--database", database_url).json["id"] == id


def test_the_answers_as_json(registry, sqlite_url):
    made = registry("keys", "create", "--label", "x", "--scope", "admin", "--json", "--database", sqlite_url)
    assert made.json["made"]["id"] == id_of(made.json["key"])
    assert made.err == ""


def test_a_key_that_is_over_is_listed_as_that():

    item = {"expires": "2020-01-01", "revoked": None, "sources": [], "parties": [], "scopes": []}
    assert keys._line(item | {"id": "", "label": "", "last_used": None})[-1] == "expired"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--label", "x", "--scope", "everything"), USAGE, "invalid choice"),
        (("--label", "x"), USAGE, "--scope"),
        (("--label", "x", "--scope", "admin", "--expires", "soon"), USAGE, "a day is written as"),
        (("--label", "x", "--scope", "admin", "--expires", "2020-01-01"), REFUSED, "makes no key"),
        (("--label", "", "--scope", "admin"), REFUSED, "makes no key"),
    ],
)
def test_what_makes_no_key_is_said(registry, sqlite_url, options, code, said):
    ran = registry("keys", "create", *options, "--database", sqlite_url)
    assert (ran.code, said in ran.err) == (code, True), ran.err


def test_an_id_that_is_not_there(registry, sqlite_url):
    ran = registry("keys", "revoke", "0" * 16, "--database", sqlite_url)
    assert (ran.code, ran.err) == (REFUSED, "registry: there is no key with this id\n")


def test_every_command_shows_its_key_to_the_server(registry, sqlite_url, file_of, monkeypatch):
    everything = make(registry, sqlite_url, "events:write", "events:read", "agreements:read", label="client")
    operator = make(registry, sqlite_url, "admin", label="operator")
    with serving("serve", "--port", "0", "--database", sqlite_url, auth="on") as server:
        path = file_of([registered("with-a-key")])
        at = ("--url", server.url)
        refused = registry("append", path, *at)
        assert (refused.code, "REGISTRY_API_KEY" in refused.err) == (UNREACHABLE, True)

        monkeypatch.setenv("REGISTRY_API_KEY", everything)
        assert registry("append", path, *at).code == DONE
        assert registry("show", "with-a-key", *at).code == DONE
        assert len(registry("tail", "-n", "1", *at).lines) == 1
        assert registry("projections", "status", *at).code == UNREACHABLE  # that needs admin

        monkeypatch.setenv("REGISTRY_API_KEY", operator)
        assert registry("projections", "status", "--json", *at).json["items"]
        # The server holds the database, so the keys are made and revoked through it.
        made = registry(
            "keys", "create", "--label", "new", "--scope", "events:read", "--database", sqlite_url
        )
        assert (made.code, "going through it" in made.err) == (DONE, True)
        new = made.out.strip()
        items = registry("keys", "list", "--json", *at).json["items"]
        assert [item["label"] for item in items] == ["client", "operator", "new"]
        monkeypatch.setenv("REGISTRY_API_KEY", new)
        assert registry("tail", "-n", "1", *at).code == DONE
        monkeypatch.setenv("REGISTRY_API_KEY", operator)
        assert registry("keys", "revoke", id_of(new), "--database", sqlite_url).code == DONE
        monkeypatch.setenv("REGISTRY_API_KEY", new)
        refused = registry("tail", "-n", "1", *at)
        assert (refused.code, new in refused.err) == (UNREACHABLE, False)
