"""How one operation is described: its parameters, what is sent, and every answer with its headers."""

import inspect
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from litestar.handlers import HTTPRouteHandler

from registry.api import components, security
from registry.domain.contracts import for_readers
from registry.domain.strict_json import MAX_INTEGER
from registry.http.access import OPEN_TO_ALL
from registry.http.kinds import KINDS, Kind
from registry.http.principal import BASIC_TOO, NEEDS
from registry.http.problems import PROBLEM
from registry.http.routing import MIN_POSITION, PREFER, Content, Operation, Parameter

Schema = dict[str, Any]
SchemaOf = Mapping[int, Schema]
"""The schema of a type, by the identity of the type."""

LICENSE = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
SHARED_PROBLEMS = {400, 408, 414, 429, 431, 500, 503}
"""Statuses of the problems that any operation may meet."""

TAGGED = Parameter(
    "If-None-Match",
    "An `ETag` of an earlier answer: the answer is a 304 while it would be the same",
    {"type": "string"},
    where="header",
)
ETAG = "Names what is shown; to be sent as `If-None-Match`"
READ = "Everything up to this position of the log is in the answer"
APPLIED = "Which preference of the request was acted upon, such as `wait=5`"
KEPT = "Who may keep the answer, and for how long"
PROBLEM_HEADERS = {
    401: {"WWW-Authenticate": "How to say who is asking"},
    405: {"Allow": "The methods that the resource takes"},
    429: {"Retry-After": "Seconds after which to try again"},
    503: {"Retry-After": "Seconds after which to try again"},
    504: {"Retry-After": "Seconds after which to try again", "Registry-Position": "How far it has come"},
}

_NUMBER = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
_HEADERS: dict[str, Schema] = {
    "ETag": {"type": "string", "pattern": '^"[!#-~]+"$'},
    "Location": {"type": "string", "format": "uri-reference"},
    "Registry-Position": _NUMBER,
    "Retry-After": _NUMBER,
    "Idempotency-Replayed": {"const": "true"},
    "Preference-Applied": {"type": "string", "pattern": "^wait=[0-9]+$"},
    "X-Request-ID": {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"},
}
"""What the values of headers look like; any other is just a string."""

_PATH_PARAMETER = re.compile(r"\{(\w+):\w+\}")


def path_of(path: str) -> str:
    """Write a path of the framework as OpenAPI has it."""
    return _PATH_PARAMETER.sub(r"{\1}", path)


def describe_operation(handler: HTTPRouteHandler, operation: Operation, schema_of: SchemaOf) -> Schema:
    """Describe one method of a resource, from what its handler says and what its route declares."""
    summary, _, description = inspect.cleandoc(handler.fn.__doc__ or "").partition("\n\n")
    problems = {*SHARED_PROBLEMS, *operation.problems} | (
        set() if handler.opt[NEEDS] == OPEN_TO_ALL else {401, 403}
    )
    parameters = {(one.where, one.name): one for one in operation.parameters}
    read = "GET" in handler.http_methods
    if operation.reads:
        problems.add(504)
        parameters |= {(one.where, one.name): one for one in (MIN_POSITION, PREFER)}
    answers = {
        status: _answer(status, forms, _headers(operation, read=read), schema_of)
        for status, forms in operation.answers.items()
    }
    if read and operation.tagged:
        parameters[TAGGED.where, TAGGED.name] = TAGGED
        answers[304] = _answer(304, (), {"ETag": ETAG, "Cache-Control": KEPT}, schema_of)
    described: Schema = {
        "operationId": handler.fn.__name__,
        "tags": [operation.tag],
        "summary": summary,
        "description": " ".join(description.split()),
        **security.needs(handler.opt[NEEDS], basic=handler.opt.get(BASIC_TOO, False)),
        "parameters": [describe_parameter(parameter) for parameter in parameters.values()],
        "requestBody": {"required": True, "content": _forms(operation.request, schema_of)},
        "responses": {str(status): answer for status, answer in sorted(answers.items())}
        | {str(status): {"$ref": f"#/components/responses/problem-{status}"} for status in sorted(problems)},
    }
    if not operation.request:
        del described["requestBody"]
    return described


def describe_problem(status: int) -> Schema:
    """Describe the answer with one status: which kinds of problems it may be."""
    kinds = [kind for kind in KINDS if kind.status == status]
    narrowed = {"type": {"enum": [kind.type for kind in kinds]}, "status": {"const": status}}
    headers = {"X-Request-ID": "Under which the request is found in the log of the service"}
    headers |= PROBLEM_HEADERS.get(status, {})
    return {
        "description": "; or: ".join(kind.title for kind in kinds),
        "headers": {name: _header(name, said) | {"required": True} for name, said in headers.items()},
        "content": {
            PROBLEM: {
                "schema": {"allOf": [{"$ref": components.PREFIX + "Problem"}], "properties": narrowed},
                "examples": {kind.name: {"value": _problem(kind)} for kind in kinds},
            }
        },
    }


def _problem(kind: Kind) -> dict[str, Any]:
    return {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.says,
        "request_id": "4e3cfcf4a8a14c5fb1f3a5f0c4a9d0a1",
    }


def _headers(operation: Operation, *, read: bool) -> dict[str, str]:
    headers = {"ETag": ETAG} if read and operation.tagged else {}
    if operation.reads:
        headers |= {"Registry-Position": READ, "Preference-Applied": APPLIED}
    return headers | ({"Cache-Control": KEPT} if read else {}) | dict(operation.headers)


def _header(name: str, said: str) -> Schema:
    return {"description": said, "schema": _HEADERS.get(name, {"type": "string"})}


def describe_parameter(parameter: Parameter) -> Schema:
    """Describe a parameter of an operation."""
    schema = for_readers(parameter.schema)
    if schema.get("type") == "integer":
        schema.setdefault("maximum", MAX_INTEGER)
    described = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "required": parameter.required or parameter.where == "path",
        "schema": schema,
    }
    return described if parameter.example is None else described | {"example": parameter.example}


def _answer(
    status: int, forms: Content | tuple[Content, ...], headers: Mapping[str, str], schema_of: SchemaOf
) -> Schema:
    content = _forms(forms if isinstance(forms, tuple) else (forms,), schema_of)
    described: Schema = {
        "description": HTTPStatus(status).phrase,
        "headers": {name: _header(name, said) for name, said in headers.items()},
    }
    return described | {"content": content} if content else described


def _forms(forms: tuple[Content, ...], schema_of: SchemaOf) -> Schema:
    return {form.media_type: _form(form, schema_of) for form in forms}


def _form(form: Content, schema_of: SchemaOf) -> Schema:
    described: Schema = {
        "schema": form.schema if isinstance(form.schema, dict) else schema_of[id(form.schema)]
    }
    if form.example is not None:
        described["example"] = form.example
    elif form.examples:
        described["examples"] = {name: {"value": value} for name, value in form.examples.items()}
    return described
