"""``registry append --dry-run``: what would become of a file, and nothing recorded."""

import pytest

from cli.posts import entered, registered, terminated
from cli.servers import serving
from registry.cli.exits import DONE, REFUSED


@pytest.fixture
def mixed(file_of):
    """A file in which a line is wrong, one is refused, and the others need each other."""
    return file_of(
        [
            registered("one"),
            entered("none", "2025-07-16"),
            entered("one", "soon"),
            terminated("one", "2025-07-16"),
        ]
    )


def check(ran):
    assert ran.code == REFUSED
    assert ran.out.startswith("would append 2 events (2 refused, 1 warning) in ")
    assert "last position" not in ran.out
    reported = dict(line.split(": ", 1) for line in ran.err.splitlines() if line.startswith("line "))
    assert set(reported) == {"line 2", "line 3", "line 4"}
    assert reported["line 2"].startswith("unknown-agreement")
    assert reported["line 4"].startswith("warning: termination-without-entry-into-force")


def test_a_file_is_tried_on_both_databases(registry, mixed, database_url):
    check(registry("append", mixed, "--dry-run", "--warnings", "--database", database_url))
    tried = registry("append", mixed, "--dry-run", "--json", "--database", database_url).json
    assert (tried["dry_run"], tried["appended"], tried["refused"], tried["position"]) == (True, 2, 2, 0)
    assert registry("append", mixed, "--json", "--database", database_url).json["appended"] == 2
    again = registry("append", mixed, "--dry-run", "--json", "--database", database_url).json
    assert (again["appended"], again["replayed"]) == (0, 2)


def test_a_file_is_tried_through_a_server(registry, mixed, file_of, sqlite_url):
    with serving("serve", "--port", "0", database=sqlite_url, auth="off") as server:
        check(registry("append", mixed, "--dry-run", "--warnings", "--url", server.url))
        good = file_of([registered("one"), entered("one", "2025-07-16")])
        assert registry("append", good, "--dry-run", "--url", server.url).code == DONE
        assert registry("append", good, "--json", "--url", server.url).json["appended"] == 2
        only_wrong = file_of([entered("none", "2025-07-16"), entered("nothing", "2025-07-16")])
        ran = registry("append", only_wrong, "--dry-run", "--json", "--url", server.url)
        assert (ran.code, ran.json["refused"]) == (REFUSED, 2)
