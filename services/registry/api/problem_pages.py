"""The pages behind the ``type`` of every problem, and the same as one page of the documentation."""

from typing import Any

from litestar import Response

from registry.api.pages import page, prose, table
from registry.errors import NotFound
from registry.http.answer import Asked
from registry.http.kinds import BY_NAME, KINDS, PATH, Kind
from registry.http.parameters import query
from registry.http.routing import HTML_PAGE, Operation, Parameter, read


@read("/problems", Operation(tag="Operations", answers={200: HTML_PAGE}), same_for_all=True)
async def get_problems(request: Asked) -> Response[Any]:
    """List the kinds of problems

    Every answer that is an error is one of them (RFC 9457).
    """
    query(request)
    rows = [
        (str(kind.status), f'<a href="{kind.type}"><code>{kind.name}</code></a>', prose(kind.title))
        for kind in KINDS
    ]
    return page(request, "Problems", "<h1>Problems</h1>\n" + table(("Status", "Name", "Title"), rows))


@read(
    "/problems/{name:str}",
    Operation(
        tag="Operations",
        parameters=(
            Parameter(
                "name", "The name of the kind", {"type": "string", "enum": list(BY_NAME)}, where="path"
            ),
        ),
        answers={200: HTML_PAGE},
        problems=(404,),
    ),
    same_for_all=True,
)
async def get_problem(request: Asked) -> Response[Any]:
    """Explain one kind of problem"""
    query(request)
    kind = BY_NAME.get(request.path_params["name"])
    if kind is None:
        raise NotFound("there is no such kind of problem; /problems lists them")
    body = (
        f"<h1>{prose(kind.title)}</h1>\n"
        f'<p><span class="bad">{kind.status}</span> <code>{kind.type}</code></p>\n'
        f"<h2>What it means</h2>\n<p>{prose(kind.says)}</p>\n"
        f"<h2>What to do</h2>\n<p>{prose(kind.remedy)}</p>\n"
        f'<p class="soft"><a href="{PATH.rstrip("/")}">All problems</a></p>'
    )
    return page(request, kind.title, body)


def markdown() -> str:
    """Write all kinds as the page ``docs/problems.md``."""
    head = (
        "# Problems\n\n"
        "Every answer that is an error is a problem of RFC 9457 (`application/problem+json`). Its `type` is\n"
        "one of those below, as a path on the registry where this text is served; `title` never varies,\n"
        "`detail` says what happened this time, `errors` lists what is wrong and where (`pointer`,\n"
        "`parameter` or `header`), and `request_id` is what the log of the service calls the request.\n"
        "This page is generated.\n"
    )
    return head + "".join(_section(kind) for kind in KINDS)


def _section(kind: Kind) -> str:
    return (
        f"\n## {kind.title}\n\n`{kind.status}` `{kind.type}`\n\n{kind.says}\n\n*What to do:* {kind.remedy}\n"
    )
