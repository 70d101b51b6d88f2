"""The table of who may use which route, as a page of the documentation."""

import re

from registry.access import SCOPES
from registry.http.access import OPEN_TO_ALL, ROUTES, SUBSCRIBED

_KIND = re.compile(r":\w+\}")


def routes_page() -> str:
    """Write the page: every route under the scope that it asks for."""
    lines = [
        "# Which route needs which scope",
        "",
        "Generated from the table by which requests are let in; no route can be declared without a line in it.",
        "[Access](access.md) explains the scopes. `HEAD` asks for what `GET` asks for, and `OPTIONS` is open to all.",
        "Where it says `Basic`, a key may come [as a password](access.md#calendars-and-feeds).",
    ]
    for scope, says in {**SCOPES, OPEN_TO_ALL: "no key, no token, nothing"}.items():
        routes = [
            f"| `{method}` | `{_KIND.sub('}', path)}`{', also `Basic`' if path in SUBSCRIBED else ''} |"
            for (method, path), needs in ROUTES.items()
            if needs == scope
        ]
        title = f"`{scope}`" if scope else "Open to all"
        lines += ["", f"## {title}", "", f"{says[0].upper()}{says[1:]}.", ""]
        lines += (
            ["| method | path |", "|---|---|", *sorted(routes, key=lambda row: row.split("`")[3])]
            if routes
            else ["No route asks for it by itself: it decides how much of an answer is shown."]
        )
    return "\n".join(lines) + "\n"
