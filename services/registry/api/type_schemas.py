"""GET /schemas/...: the JSON Schema of ``data`` for every event type."""

from functools import cache
from typing import Any

import msgspec
from litestar import Response

from registry.domain.contracts import file_name, schemas
from registry.domain.events import EVENT_TYPES
from registry.errors import NotFound
from registry.http.answer import Asked, digest, fresh_or_304
from registry.http.parameters import query
from registry.http.routing import Content, Operation, Parameter, read

SCHEMA = "application/schema+json"
PUBLIC = {"Cache-Control": "public, max-age=3600"}
"""Not for ever: a type keeps its name when a field is added to it that may be left out."""
FILE = Parameter(
    "file",
    "The event type, and `.schema.json` behind it",
    {"type": "string", "enum": [file_name(name) for name in sorted(EVENT_TYPES)]},
    where="path",
    example=file_name("agreement.signed.v1"),
)


@read(
    "/schemas/{file:str}",
    Operation(
        tag="Events", parameters=(FILE,), answers={200: Content(SCHEMA, {"type": "object"})}, problems=(404,)
    ),
    same_for_all=True,
)
async def get_schema(request: Asked) -> Response[Any]:
    """Read the schema of an event type

    What `data` is in an event of the type, as JSON Schema 2020-12 with examples; fields about a person are marked
    `x-personal`. Whatever is valid by it today stays valid: a change that would break this gets a type of its own.
    """
    query(request)
    content = _files().get(request.path_params["file"])
    if content is None:
        raise NotFound(
            "there is no such schema: it is named after an event type, as agreement.signed.v1.schema.json"
        )
    return fresh_or_304(request, content, etag=digest(content), media_type=SCHEMA, headers=PUBLIC)


@cache
def _files() -> dict[str, bytes]:
    return {file_name(name): msgspec.json.encode(schema) for name, schema in schemas().items()}
