"""The description of the API: OpenAPI 3.1, put together from what every route says of itself."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler

from registry import __version__
from registry.api import components, security
from registry.api.answer_examples import Examples, published, show
from registry.api.operations import LICENSE, describe_operation, describe_problem, path_of
from registry.http.answer import JSON, Asked, digest, fresh_or_304
from registry.http.kinds import KINDS
from registry.http.parameters import query
from registry.http.routing import OPERATION, Content, Operation, read

Described = tuple[str, str, HTTPRouteHandler, Operation]
"""Path, method, handler and operation."""

ABOUT = (
    "A registry that keeps every statement ever made about a bilateral agreement, and can prove that it "
    "kept it. Services post events (CloudEvents 1.0), each a claim by its source about one agreement; the "
    "registry never changes one. It answers what is true of an agreement now, on any day (`valid_as_of`), "
    "and as it was known at any time (`known_as_of`).\n\n"
    "Every GET is a HEAD as well, and carries a strong `ETag` wherever its answer can be kept. An unknown or "
    "repeated query parameter is an error. Every error is a problem of RFC 9457; `/problems` lists the kinds.\n\n"
    "Whoever asks shows a key or a token as `Authorization: Bearer`, and of calendars and feeds also a key as the "
    "password of `Authorization: Basic`, with any user name or none; `x-scope` names the scope that an operation "
    "asks for. Where reading is public, `agreements:read` and `events:read` are given to whoever shows nothing."
)
TAGS = {
    "Events": "Append events, and read the history of everything",
    "Agreements": "What is true of an agreement",
    "Log": "The log as a Merkle tree, with proofs that it was only added to",
    "Operations": "Health, limits, and this description",
}


@read(
    "/openapi.json",
    Operation(tag="Operations", answers={200: Content(JSON, {"type": "object"})}),
    same_for_all=True,
)
async def get_openapi(request: Asked) -> Response[Any]:
    """Read the description of this API

    OpenAPI 3.1, in JSON.
    """
    query(request)
    content = msgspec.json.encode(document(request.app))
    return fresh_or_304(request, content, etag=digest(content))


@lru_cache(maxsize=1)
def document(app: Litestar) -> dict[str, Any]:
    """Describe every route of the service that says what it does."""
    settings = getattr(app.state, "settings", None)  # none while contracts are written: they name no issuer
    examples = getattr(app.state, "examples", None)  # only while contracts are written, as they are new then
    handlers = (handler for route in app.routes for handler in getattr(route, "route_handlers", ()))
    return describe(handlers, settings.oidc_issuer if settings is not None else "", examples)


def describe(
    handlers: Iterable[HTTPRouteHandler], issuer: str = "", examples: Examples | None = None
) -> dict[str, Any]:
    """Make the OpenAPI document of route handlers; those without an operation are left out.

    ``examples`` of answers are those of the published description unless they are given.
    """
    operations = sorted(_operations(handlers), key=lambda described: described[:2])
    contents = [content for *_, operation in operations for content in _contents(operation)]
    types = [content.schema for content in contents if not isinstance(content.schema, dict)]
    found, schemas = components.of_types(types)
    schema_of = {id(type_): schema for type_, schema in zip(types, found, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler, operation in operations:
        paths.setdefault(path, {})[method] = describe_operation(handler, operation, schema_of)
    show(paths, published() if examples is None else examples)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Agreement Registry",
            "version": __version__,
            "summary": "An event-sourced registry of bilateral agreements whose history can be proved",
            "description": ABOUT,
            "license": LICENSE,
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted((schemas | components.of_events()).items())),
            "responses": {
                f"problem-{status}": describe_problem(status) for status in sorted({k.status for k in KINDS})
            },
            "securitySchemes": security.schemes(issuer),
        },
    }


def _operations(handlers: Iterable[HTTPRouteHandler]) -> Iterator[Described]:
    for handler in handlers:
        operation = handler.opt.get(OPERATION)
        if operation is not None:
            method = "get" if "GET" in handler.http_methods else min(handler.http_methods).lower()
            for path in handler.paths:
                yield path_of(path), method, handler, operation


def _contents(operation: Operation) -> Iterator[Content]:
    yield from operation.request
    for forms in operation.answers.values():
        yield from forms if isinstance(forms, tuple) else (forms,)
