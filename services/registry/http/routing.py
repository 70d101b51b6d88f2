"""How a resource is declared: its path, its methods, and what the description of the API says of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

from registry.http.access import SUBSCRIBED, needed
from registry.http.answer import OPEN, Answer, Asked
from registry.http.freshness import MAX_WAIT, Source, seen
from registry.http.parameters import READS
from registry.http.principal import BASIC_TOO, NEEDS, let_in

OPERATION = "operation"
"""The option of a route under which its description is."""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of an operation, as OpenAPI describes it."""

    name: str
    description: str
    schema: dict[str, Any]
    required: bool = False
    where: str = "query"
    """``query``, ``path`` or ``header``."""
    example: Any = None


class Content(msgspec.Struct, frozen=True):
    """One form of a body: a media type with the schema of what is inside."""

    media_type: str
    schema: Any
    """A type that msgspec can describe, or a JSON Schema as a dict."""
    example: Any = None
    examples: Mapping[str, Any] = {}
    """What it may be, by a name for each."""


MIN_POSITION = Parameter(
    "min_position",
    "A position that the answer must have seen, such as that of a receipt. When it has not been reached, the "
    "answer is a 504.",
    {"type": "integer", "minimum": 0},
)
PREFER = Parameter(
    "Prefer",
    f"`wait=5`: wait up to so many seconds, at most {MAX_WAIT}, for `min_position` to be reached (RFC 7240)",
    {"type": "string"},
    where="header",
    example="wait=5",
)
HTML_PAGE = Content("text/html", {"type": "string"})


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What the description of the API says of one method of a resource.

    The docstring of the handler gives the summary (first line) and the description (the rest).
    """

    tag: str
    answers: Mapping[int, Content | tuple[Content, ...]]
    """The forms of a good answer, by status."""
    reads: tuple[Source, ...] = ()
    """What of the registry is read: ``LOG``, read models, or nothing. ``min_position`` is about these."""
    parameters: tuple[Parameter, ...] = ()
    request: tuple[Content, ...] = ()
    headers: Mapping[str, str] = {}
    """Headers of a good answer, and what each says."""
    tagged: bool = True
    """Whether what is read has an ``ETag``, so that a client who has it already gets a 304."""
    problems: tuple[int, ...] = ()
    """The statuses of the problems that may be met, beside those that every operation shares."""


def read(path: str, operation: Operation, *, same_for_all: bool = False) -> Callable[[Any], HTTPRouteHandler]:
    """Declare a resource that is read: GET, and HEAD with the same headers.

    Who may is in the table of ``access``. ``same_for_all``: the answer never depends on who asks and changes with
    the version of the service alone, so that caches may keep it.
    """
    return HTTPRouteHandler(
        path,
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        status_code=200,
        before_request=before_read,
        opt={
            OPERATION: operation,
            NEEDS: needed("GET", path),
            OPEN: same_for_all,
            READS: operation.reads,
            BASIC_TOO: path in SUBSCRIBED,
        },
    )


async def before_read(request: Asked) -> None:
    """Stand before every read: let the request in, and wait until what it wants to be seen has been."""
    await let_in(request)
    await seen(request)


def options_of(handlers: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Make what lists the methods of each resource that has several handlers; it goes before these.

    The framework would name the methods of the handler that it met first alone.
    """
    methods: dict[str, list[Collection[str]]] = {}
    for handler in handlers:
        for path in handler.paths:
            methods.setdefault(path, []).append(handler.http_methods)
    return [
        _options(path, sorted({"OPTIONS"}.union(*several)))
        for path, several in methods.items()
        if len(several) > 1
    ]


def _options(path: str, methods: Sequence[str]) -> HTTPRouteHandler:
    @HTTPRouteHandler(path, http_method=HttpMethod.OPTIONS, status_code=200)
    async def options() -> Answer:
        """List the methods."""
        return Answer(b"", status=204, headers={"Allow": ", ".join(methods)})

    return options


def delete(path: str, operation: Operation) -> Callable[[Any], HTTPRouteHandler]:
    """Declare a resource that is taken away, or out of use."""
    return HTTPRouteHandler(
        path,
        http_method=HttpMethod.DELETE,
        status_code=200,
        before_request=let_in,
        opt={OPERATION: operation, NEEDS: needed("DELETE", path)},
    )


def post(path: str, operation: Operation) -> Callable[[Any], HTTPRouteHandler]:
    """Declare a resource that is posted to."""
    return HTTPRouteHandler(
        path,
        http_method=HttpMethod.POST,
        status_code=201,
        before_request=let_in,
        opt={OPERATION: operation, NEEDS: needed("POST", path)},
    )
