"""Reading what a request brings along, and no more of it than may be."""

from typing import Any

from registry.errors import Malformed, TooLarge
from registry.http.answer import Asked


def announced(request: Asked) -> int | None:
    """Tell how many bytes the body is to have; None when the request does not say."""
    for name, value in request.scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


async def read_body(request: Asked, most: int) -> bytes:
    """Read the body. Raises TooLarge beyond ``most`` bytes, and Malformed when the client goes away before its end.

    What is announced as too large is refused before any of it is read.
    """
    length = announced(request)
    if length is not None and length > most:
        raise TooLarge(f"the body is {length} bytes, the limit is {most}")
    chunks, size = [], 0
    while True:
        message: dict[str, Any] = await request.receive()  # type: ignore[assignment]  # either of two messages
        if message["type"] == "http.disconnect":
            raise Malformed("the client went away before it had sent its body")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise TooLarge(f"the body is over {most} bytes")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
