"""The least a server can do: answer the same to every request. What is left is the cost of HTTP itself."""

from litestar import Litestar, Response, get, post

AGREEMENT = b'{"shown":"%s"}' % (b"." * 3_000)
"""As long as a small agreement is."""


@post("/events")
async def post_events(body: bytes) -> Response[bytes]:
    return Response(b'{"length":%d}' % len(body), media_type="application/json")


@get("/agreements/{id:str}")
async def get_agreement(id: str) -> Response[bytes]:  # noqa: ARG001 - parsed like the registry's
    return Response(AGREEMENT, media_type="application/json")


def create_app() -> Litestar:
    return Litestar([post_events, get_agreement], openapi_config=None)
