"""GET /tile/...: the tree and the entries in tiles, byte for byte as C2SP tlog-tiles v0.1.0 says."""

from typing import Any

from litestar import Response

from registry.audit.tiles import published_tile
from registry.errors import NotFound
from registry.http.answer import Asked, digest, fresh_or_304
from registry.http.disclosure import ACCESS_REASON, disclosed
from registry.http.parameters import query
from registry.http.routing import Content, Operation, Parameter, read
from registry.merkle.tiles import parse_tile_path

OCTETS = "application/octet-stream"
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
BYTES = Content(OCTETS, {"type": "string", "format": "binary"})
WHICH = Parameter(
    "tile",
    "Which tile, such as `x001/x234/067`: its number in groups of three digits, all but the last with an `x` before "
    "them. Behind the last tile of a tree that does not fill it comes its width, as in `067.p/12`",
    {"type": "string"},
    where="path",
)


@read(
    "/tile/{tile:path}",
    Operation(
        tag="Log",
        parameters=(
            Parameter(
                WHICH.name,
                f"The level, from `0` for leaves, then a `/`. {WHICH.description}",
                WHICH.schema,
                where="path",
            ),
        ),
        answers={200: BYTES},
        problems=(404,),
    ),
    same_for_all=True,
)
async def get_tile(request: Asked) -> Response[Any]:
    """Read a tile of the tree

    Up to 256 hashes of 32 bytes, one after the other (C2SP tlog-tiles). A tile never changes. There are those of
    the last checkpoint, and the partial ones of every checkpoint before it.
    """
    return await _tile(request, FOR_EVER)


@read(
    "/tile/entries/{tile:path}",
    Operation(tag="Log", parameters=(WHICH, ACCESS_REASON), answers={200: BYTES}, problems=(404,)),
)
async def get_entries(request: Asked) -> Response[Any]:
    """Read a tile of entries

    Up to 256 entries, each behind its length in two bytes, the high one first (C2SP tlog-tiles). The leaf hash of
    an entry is in the tile of level 0 with the same number.
    """
    answer = await _tile(request, {})
    await disclosed(request, always=True)
    return answer


async def _tile(request: Asked, caching: dict[str, str]) -> Response[Any]:
    query(request)
    path: bytes = request.scope["raw_path"]  # the other one is without a slash at its end, and is decoded
    try:
        tile = parse_tile_path(path.decode("latin-1").removeprefix("/"))
    except ValueError as error:
        raise NotFound(str(error)) from error
    content = await request.app.state.views.read(published_tile, tile)
    if content is None:
        raise NotFound("no checkpoint covers this tile")
    return fresh_or_304(request, content, etag=digest(content), media_type=OCTETS, headers=caching)
