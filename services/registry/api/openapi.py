"""The description of the API: OpenAPI 3.1, put together from what every route says of itself."""

import inspect
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler

from registry import __version__
from registry.api import components
from registry.api.answer import JSON, Asked, digest, fresh_or_304
from registry.api.kinds import KINDS
from registry.api.parameters import query
from registry.api.principal import OPEN
from registry.api.problems import PROBLEM
from registry.api.routing import MIN_POSITION, OPERATION, PREFER, Content, Operation, Parameter, read

Described = tuple[str, str, HTTPRouteHandler, Operation]
"""Path, method, handler and operation."""

ABOUT = (
    "A registry that keeps every statement ever made about a bilateral agreement, and can prove that it "
    "kept it. Services post events (CloudEvents 1.0), each a claim by its source about one agreement; the "
    "registry never changes one. It answers what is true of an agreement now, on any day (`valid_as_of`), "
    "and as it was known at any time (`known_as_of`).\n\n"
    "Every GET is a HEAD as well, and carries a strong `ETag` wherever its answer can be kept. An unknown or "
    "repeated query parameter is an error. Every error is a problem of RFC 9457; `/problems` lists the kinds."
)
TAGS = {
    "Events": "Append events, and read the history of everything",
    "Agreements": "What is true of an agreement",
    "Log": "The log as a Merkle tree, with proofs that it was only added to",
    "Operations": "Health, limits, and this description",
}
SHARED_PROBLEMS = {400, 500, 503}
"""Statuses of the problems that any operation may meet."""
APPLIED = {"Preference-Applied": "Which preference of the request was acted upon, such as `wait=5`"}
PATH_PARAMETER = re.compile(r"\{(\w+):\w+\}")


@read(
    "/openapi.json",
    Operation(tag="Operations", answers={200: Content(JSON, {"type": "object"})}),
    anybody=True,
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
    return describe(handler for route in app.routes for handler in getattr(route, "route_handlers", ()))


def describe(handlers: Iterable[HTTPRouteHandler]) -> dict[str, Any]:
    """Make the OpenAPI document of route handlers; those without an operation are left out."""
    operations = sorted(_operations(handlers), key=lambda described: described[:2])
    contents = [content for *_, operation in operations for content in _contents(operation)]
    types = [content.schema for content in contents if not isinstance(content.schema, dict)]
    found, schemas = components.of_types(types)
    schema_of = {id(type_): schema for type_, schema in zip(types, found, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler, operation in operations:
        paths.setdefault(path, {})[method] = _operation(handler, operation, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Agreement Registry",
            "version": __version__,
            "summary": "An event-sourced registry of bilateral agreements whose history can be proved",
            "description": ABOUT,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted((schemas | components.of_events()).items())),
            "responses": {
                f"problem-{status}": _problem(status) for status in sorted({k.status for k in KINDS})
            },
        },
    }


def _operations(handlers: Iterable[HTTPRouteHandler]) -> Iterator[Described]:
    for handler in handlers:
        operation = handler.opt.get(OPERATION)
        if operation is not None:
            method = "post" if "POST" in handler.http_methods else "get"
            for path in handler.paths:
                yield PATH_PARAMETER.sub(r"{\1}", path), method, handler, operation


def _contents(operation: Operation) -> Iterator[Content]:
    yield from operation.request
    for forms in operation.answers.values():
        yield from forms if isinstance(forms, tuple) else (forms,)


def _operation(
    handler: HTTPRouteHandler, operation: Operation, schema_of: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(handler.fn.__doc__ or "").partition("\n\n")
    problems = {*SHARED_PROBLEMS, *operation.problems} | (set() if handler.opt.get(OPEN) else {401})
    parameters = {(one.where, one.name): one for one in operation.parameters}
    if operation.reads:
        problems.add(504)
        parameters |= {(one.where, one.name): one for one in (MIN_POSITION, PREFER)}
    described: dict[str, Any] = {
        "operationId": handler.fn.__name__,
        "tags": [operation.tag],
        "summary": summary,
        "description": " ".join(description.split()),
        "parameters": [_parameter(parameter) for parameter in parameters.values()],
        "requestBody": {"required": True, "content": _forms(operation.request, schema_of)},
        "responses": {
            str(status): _answer(status, forms, operation, schema_of)
            for status, forms in sorted(operation.answers.items())
        }
        | {str(status): {"$ref": f"#/components/responses/problem-{status}"} for status in sorted(problems)},
    }
    if not operation.request:
        del described["requestBody"]
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "required": parameter.required,
        "schema": parameter.schema,
    }


def _answer(
    status: int,
    forms: Content | tuple[Content, ...],
    operation: Operation,
    schema_of: dict[int, dict[str, Any]],
) -> dict[str, Any]:
    every = {**operation.headers, **(APPLIED if operation.reads else {})}
    headers = {name: {"description": said, "schema": {"type": "string"}} for name, said in every.items()}
    content = _forms(forms if isinstance(forms, tuple) else (forms,), schema_of)
    return {"description": HTTPStatus(status).phrase, "headers": headers, "content": content}


def _forms(forms: tuple[Content, ...], schema_of: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {
        form.media_type: {
            "schema": form.schema if isinstance(form.schema, dict) else schema_of[id(form.schema)]
        }
        for form in forms
    }


def _problem(status: int) -> dict[str, Any]:
    """Describe the answer with one status: which kinds of problems it may be."""
    kinds = [kind for kind in KINDS if kind.status == status]
    narrowed = {"type": {"enum": [kind.type for kind in kinds]}, "status": {"const": status}}
    return {
        "description": "; or: ".join(kind.title for kind in kinds),
        "content": {
            PROBLEM: {"schema": {"allOf": [{"$ref": components.PREFIX + "Problem"}], "properties": narrowed}}
        },
    }
