"""The least a server can do: read the body and answer 201. What is left is the cost of HTTP itself."""

from litestar import Litestar, Response, post


@post("/events")
async def post_events(body: bytes) -> Response[bytes]:
    return Response(b'{"length":%d}' % len(body), media_type="application/json")


def create_app() -> Litestar:
    return Litestar([post_events], openapi_config=None)
