"""The table of who may use which route, and its page."""

from pathlib import Path

import pytest

from registry.access import SCOPES
from registry.http.access import OPEN_TO_ALL, ROUTES, SUBSCRIBED, needed
from registry.http.access_page import routes_page

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def test_a_route_without_a_line_cannot_be_declared() -> None:
    assert needed("POST", "/events") == "events:write"
    with pytest.raises(LookupError, match="GET /events/all has no line"):
        needed("GET", "/events/all")


def test_the_page_has_every_route_under_its_scope() -> None:
    page = routes_page()
    assert (DOCS / "routes.md").read_text() == page
    assert page.count("\n| `") == len(ROUTES)
    assert page.count(", also `Basic` |") == len(SUBSCRIBED)
    for scope, says in SCOPES.items():
        assert f"## `{scope}`\n\n{says[0].upper()}{says[1:]}.\n" in page
    opened = page.partition("## Open to all")[2]
    assert opened.count("\n| `") == list(ROUTES.values()).count(OPEN_TO_ALL)


def test_the_documentation_explains_every_scope() -> None:
    page = (DOCS / "access.md").read_text()
    for scope, says in SCOPES.items():
        assert f"| `{scope}` | {says.replace('the principal is', 'the key is')} |" in page
