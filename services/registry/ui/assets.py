"""GET /static/{hash}/{name}: the style sheet and the icon."""

from typing import Any

from litestar import Response

from registry.http.answer import Asked, fresh_or_304
from registry.http.parameters import query
from registry.ui.hashed import TYPES, static_file
from registry.ui.page import page

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"
"""For a hash of another version of the service: while one replaces the other, a page of one finds files of both."""


@page("/static/{hash:str}/{name:str}")
async def get_static(request: Asked) -> Response[Any]:
    """Give a file that pages load."""
    query(request)
    name = request.path_params["name"]
    found, content = static_file(name)
    kept = FOR_EVER if request.path_params["hash"] == found else ASK_AGAIN
    media_type = TYPES[name.rpartition(".")[2]]
    return fresh_or_304(request, content, etag=found, media_type=media_type, headers={"Cache-Control": kept})
