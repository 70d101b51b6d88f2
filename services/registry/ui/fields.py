"""What a form of a page sends: fields by name, each once, bounded in size and number."""

from urllib.parse import unquote_plus

from registry.errors import Malformed, TooLarge
from registry.http.answer import Asked
from registry.http.body import read_body
from registry.http.problems import UnsupportedMediaType

FORM = "application/x-www-form-urlencoded"
MOST_BYTES = 16_384
"""Of a form that asks for a few lines."""
MOST_FIELDS = 3000


class BadField(Malformed):
    """A field of a form is unknown, repeated, missing or no text."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"the field {field[:64]!r} {detail}")


async def fields_of(request: Asked, *known: str, most: int = MOST_BYTES) -> dict[str, str]:
    """Read a form whose fields are known; one that is not sent is empty. Raises what ``any_fields_of`` does."""
    given = await any_fields_of(request, most=most)
    for name in given:
        if name not in known:
            raise BadField(name, "is not known here")
    return {name: given.get(name, "") for name in known}


async def any_fields_of(request: Asked, *, most: int) -> dict[str, str]:
    """Read a form, whatever its fields are. Raises BadField, TooLarge, UnsupportedMediaType and Malformed."""
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != FORM:
        raise UnsupportedMediaType(f"a form is sent as {FORM}")
    body = await read_body(request, most)
    if body.count(b"&") >= MOST_FIELDS:
        raise TooLarge(f"the form has more than {MOST_FIELDS:,} fields")
    return _read(body)


def _read(body: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    for pair in body.split(b"&") if body else ():
        name, _, text = pair.partition(b"=")
        field, value = _decoded(name), _decoded(text)
        if field in fields:
            raise BadField(field, "is given twice")
        fields[field] = value.replace("\r\n", "\n")
    return fields


def _decoded(piece: bytes) -> str:
    try:
        return unquote_plus(piece.decode("ascii"), errors="strict")
    except UnicodeDecodeError:
        raise Malformed("the form is not UTF-8 in percent-encoding") from None
