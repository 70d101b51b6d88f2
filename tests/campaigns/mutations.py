"""Requests that are nearly right: events of every type, changed in one place or in many."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from hypothesis import strategies as st

from registry.api.example_events import posted_examples

EVENTS: list[dict[str, Any]] = [dict(each) for each in posted_examples().values()]
STRUCTURED = b"application/cloudevents+json"
BATCH = b"application/cloudevents-batch+json"
BINARY = b"application/json"

DEEP = "[" * 5000
ODD_TEXTS = (
    "", "\x00", "\ud800", "\u2028", "x" * 70_000, "2025-02-30", "../..", "1e400", "$part", "agreement.signed.v1",
    "personal-data-erased", "https://user@host/", "mailto:a@b", "0", "null", "\U0001f600", "-0",
)  # fmt: skip
ODD_JSON = (
    "NaN", "-Infinity", "1.5", "1e3", "-0", "01", "9007199254740992", "-9007199254740993", "1" * 400, "nul", "'a'",
    '"\\ud800"', '"\\u0000"', '"\\x"', DEEP, '{"a":' * 40 + "1" + "}" * 40, '{"$part":1}', '{"a":1,"a":2}', "[]", "",
    "[1,]", "\ufeff1", '"' + "é" * 10 + '"', "true", "{}", '{"": null}',
)  # fmt: skip
MARK = "\ue000mark\ue000"
"""Stands in the text for what is no JSON that could be written otherwise."""

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(ODD_TEXTS)
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


class Case(NamedTuple):
    """One request, as it is sent."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    framing: str
    """``length``; ``chunked``; ``cut``: the connection ends before the body does."""
    cuts: tuple[int, ...] = ()

    def request(self) -> bytes:
        head = b"POST /events HTTP/1.1\r\nHost: registry.test\r\n"
        head += b"".join(b"%b: %b\r\n" % header for header in self.headers)
        if self.framing == "length":
            return head + b"Content-Length: %d\r\n\r\n" % len(self.body) + self.body
        if self.framing == "cut":
            return head + b"Content-Length: %d\r\n\r\n" % (len(self.body) + 7) + self.body
        places = sorted({0, len(self.body), *(cut % (len(self.body) + 1) for cut in self.cuts)})
        pieces = [self.body[i:j] for i, j in pairwise(places)]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(place for key, each in inner for place in _places(each, (*path, key)))]


@st.composite
def _changed(draw: st.DrawFn) -> str:
    """Write an event, changed in up to three places as JSON may be, or as it may not."""
    event: Any = json.loads(json.dumps(draw(st.sampled_from(EVENTS))))
    event["id"] = draw(st.uuids()).hex
    odd = None
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(_places(event)[1:] or [()]))
        if not place:
            break
        inside = event
        for key in place[:-1]:
            inside = inside[key]
        how = draw(st.sampled_from(("value", "odd", "gone", "more", "renamed")))
        if how == "value":
            inside[place[-1]] = draw(values)
        elif how == "odd":
            inside[place[-1]], odd = MARK, draw(st.sampled_from(ODD_JSON))
        elif how == "gone":
            del inside[place[-1]]
        elif isinstance(inside, dict):
            name = draw(
                st.text(max_size=10) | st.sampled_from(("id", "$part", "recordedtime", "expectedversion"))
            )
            inside[name] = inside.pop(place[-1]) if how == "renamed" else draw(values)
    written = json.dumps(event, ensure_ascii=draw(st.booleans()))
    return written if odd is None else written.replace(json.dumps(MARK), odd).replace(f'"{MARK}"', odd)


@st.composite
def _bytes_changed(draw: st.DrawFn) -> bytes:
    """Write an event, then change bytes of it: cut, doubled, replaced or put in between."""
    body = bytearray(json.dumps(draw(st.sampled_from(EVENTS)) | {"id": draw(st.uuids()).hex}).encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        until = min(len(body), at + draw(st.integers(0, 12)))
        body[at:until] = draw(st.binary(max_size=8) | st.just(bytes(body[at:until]) * 2))
    return bytes(body)


_header_values = st.binary(max_size=30).map(lambda raw: bytes(b for b in raw if b >= 32 and b != 127))
_headers = st.lists(
    st.tuples(
        st.sampled_from(
            (
                b"If-Match", b"If-None-Match", b"Content-Encoding", b"ce-id", b"ce-type", b"ce-source", b"ce-subject",
                b"ce-expectedversion", b"ce-x", b"Expect", b"Authorization", b"Cookie", b"X-Request-ID", b"Accept",
                b"traceparent", b"Content-Type", b"Prefer", b"Connection", b"Upgrade",
            )
        ),
        _header_values | st.sampled_from((b"*", b'"v7"', b'"v0.ff"', b"gzip", b"100-continue", b"close", b"h2c")),
    ),
    max_size=3,
)  # fmt: skip


@st.composite
def cases(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> Case:
    """Make requests of bodies: in each mode, with headers that may be wrong, whole, in chunks, or cut off."""
    body = draw(bodies)
    mode = draw(st.sampled_from((STRUCTURED, STRUCTURED, BATCH, BINARY)))
    if not draw(st.integers(0, 7)):
        mode = draw(_header_values)
    if mode == BATCH and draw(st.booleans()):
        body = b"[" + b",".join([body] * draw(st.integers(0, 3))) + b"]"
    headers = [(b"Content-Type", mode), *draw(_headers)]
    if mode == BINARY and draw(st.booleans()):
        event = draw(st.sampled_from(EVENTS))
        said = {name: str(value).encode() for name, value in event.items() if name != "data"}
        said["id"] = draw(st.uuids()).hex.encode()
        headers += [(b"ce-" + name.encode(), value) for name, value in said.items()]
        if draw(st.booleans()):
            body = json.dumps(event["data"]).encode()
    framing = draw(st.sampled_from(("length", "length", "chunked", "cut")))
    cuts = tuple(draw(st.lists(st.integers(0, 2000), max_size=4))) if framing == "chunked" else ()
    return Case(tuple(headers), body, framing, cuts)


any_bytes = st.binary(max_size=300) | _bytes_changed()
near_json = _changed().map(lambda text: text.encode("utf-8", "surrogatepass"))
