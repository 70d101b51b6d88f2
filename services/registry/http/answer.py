"""Answers: bytes with headers, the same for GET and HEAD, and 304 for who has them already."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from litestar import Request, Response
from litestar.datastructures.state import State
from litestar.types import ASGIApp, Receive, Send

Asked = Request[Any, Any, State]
"""A request as the handlers here take it: bare, without injected parameters."""

JSON = "application/json"
CLOUDEVENT = "application/cloudevents+json"
NDJSON = "application/x-ndjson"
HTML = "text/html; charset=utf-8"
NO_CONTENT = 204
NOT_MODIFIED = 304
PREFERENCE_APPLIED = "preference_applied"
"""Where a request keeps which preference was acted upon (RFC 7240)."""
OPEN = "open"
"""The option of a route whose answer is the same for everybody and may be kept by any cache."""
PUBLIC = "public, max-age=300"
"""For what is the same for everybody and changes with the version of the service."""
PRIVATE = "private, no-cache"
"""For whatever an erasure or a change of rights may change: kept by the client alone, asked for each time."""


class _Names(dict[str, bytes]):
    """The names of headers as they are sent. The code alone names them, so there are few."""

    def __missing__(self, name: str) -> bytes:
        sent = self[name] = name.lower().encode()
        return sent


_NAMES = _Names()


class Answer(Response[bytes]):
    """A whole response. Litestar's own leaves out type and length for HEAD; here both methods agree."""

    def __init__(
        self,
        content: bytes,
        *,
        status: int = 200,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        sized: bool = True,
        kept: Sequence[str] = (),
        also: Sequence[tuple[str, str]] = (),
    ) -> None:
        # What the framework's own keeps beside this is for the handlers that it merges answers of; here nothing is.
        self.content = content
        self.media_type = media_type
        self.status_code = status
        self.headers = dict(headers or {})
        self.sized = sized
        self.kept = kept
        """Values of ``Set-Cookie``, which may be given several times."""
        self.also = also
        """Headers that stand on a line of their own beside one of the same name."""

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]  # nothing is merged in
        """Give the response itself: nothing is added to what the handler decided."""
        return self.send_all

    async def send_all(self, scope: Any, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as an application
        """Send it, to whoever has sent a request with this scope."""
        headers = [(_NAMES[name], value.encode("latin-1")) for name, value in self.headers.items()]
        if self.kept:
            headers += [(b"set-cookie", value.encode("latin-1")) for value in self.kept]
        if self.also:
            headers += [(_NAMES[name], value.encode("latin-1")) for name, value in self.also]
        if "X-Content-Type-Options" not in self.headers:
            headers.append((b"x-content-type-options", b"nosniff"))
        status = self.status_code or 200
        if status not in (NO_CONTENT, NOT_MODIFIED):
            headers.append((b"content-type", str(self.media_type).encode()))
            if self.sized:
                headers.append((b"content-length", b"%d" % len(self.content)))
        body = b"" if scope["method"] == "HEAD" else self.content
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def digest(*shown: bytes) -> str:
    """Digest what is shown, for a strong ETag."""
    whole = sha256()
    for piece in shown:
        whole.update(len(piece).to_bytes(8) + piece)
    return whole.hexdigest()[:24]


def fresh_or_304(
    request: Asked,
    content: bytes,
    *,
    etag: str,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Answer with a strong ETag (given without quotes), or 304 when ``If-None-Match`` names it.

    RFC 9110 section 13.1.2: the comparison is weak, and ``*`` is any.
    """
    quoted = f'"{etag}"'
    kept = PUBLIC if request.route_handler.opt.get(OPEN) else PRIVATE
    every = {"ETag": quoted, "Cache-Control": kept, **applied(request), **(headers or {})}
    if has(request, etag):
        return Answer(b"", status=NOT_MODIFIED, headers=every)
    return Answer(content, media_type=media_type, headers=every)


def has(request: Asked, etag: str) -> bool:
    """Tell whether ``If-None-Match`` says that the client has what an ETag names."""
    for name, value in request.scope["headers"]:
        if name == b"if-none-match":
            known = [tag.strip().removeprefix("W/") for tag in value.decode("latin-1").split(",")]
            return f'"{etag}"' in known or known == ["*"]
    return False


def applied(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Give the header that names the preference a request was served with (RFC 7240 section 3), if any."""
    preference = request.scope.get("state", {}).get(PREFERENCE_APPLIED)
    return {} if preference is None else {"Preference-Applied": preference}
