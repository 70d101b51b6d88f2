"""Clients that mean no good: each attack is over when the server has let go of all who took part in it."""

import asyncio
import gzip
from collections.abc import Callable, Coroutine
from typing import Any

POST = b"POST /events HTTP/1.1\r\nHost: registry.test\r\nContent-Type: application/cloudevents+json\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: registry.test\r\n\r\n"
PAUSE = 0.2
"""Seconds between two bytes of those who send slowly."""

Hostile = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, bytes]]


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    """Read until the server closes; the beginning of what it said."""
    said = b""
    while piece := await reader.read(1 << 16):
        said = (said + piece)[:4096]
    return said


async def one(port: int, address: str, hostile: Hostile) -> bytes:
    """Run one client, which comes from an address, until the server lets go of it; what it was told."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    try:
        return await hostile(reader, writer)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def sending(*pieces: bytes) -> Hostile:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await answer_of(reader)

    return send


def posting(head: bytes, body: bytes) -> Hostile:
    return sending(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def dripping(beginning: bytes, drip: bytes) -> Hostile:
    """Send a beginning, and then a little again and again, until the server has enough."""

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        answered = asyncio.create_task(answer_of(reader))
        writer.write(beginning)
        while not answered.done():
            writer.write(drip)
            await asyncio.wait([answered], timeout=PAUSE)
        return await answered

    return send


def pouring(beginning: bytes, piece: bytes, times: int) -> Hostile:
    """Send much, as fast as it is taken, until the server has enough."""

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        answered = asyncio.create_task(answer_of(reader))
        writer.write(beginning)
        try:
            for _ in range(times):
                if answered.done():
                    break
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()
        (said,) = await asyncio.gather(answered, return_exceptions=True)
        return said if isinstance(said, bytes) else b""

    return send


async def take_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Ask for everything and take nothing; the transport is paused, so the system's buffers fill."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a socket can
    writer.write(b"GET /events HTTP/1.1\r\nHost: registry.test\r\nAccept: application/x-ndjson\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(PAUSE)
    return b""


DEEP = b"[" * 200_000
BOMB = gzip.compress(bytes(20 << 20))
CLOSE = b"Connection: close\r\n"
BATCH = POST.replace(b"+json", b"-batch+json")
FLAWS = b"[%b]" % b",".join([b"1.5"] * 99_000)
LAST_FLAW = b"[%b]" % b",".join([b"1"] * 99_000 + [b"1.5"])
TWICE = b'{"specversion":"1.0","data":{%b}}' % b",".join(b'"%d":1,"%d":2' % (i, i) for i in range(9_000))
MANY_VALUES = b"[%b]" % b",".join([b"1.5"] * 1_000_000)
CHUNK = b"10000\r\n" + b" " * (1 << 16) + b"\r\n"

ATTACKS: dict[str, tuple[int, Hostile, tuple[bytes, ...]]] = {
    "deep nesting": (
        50,
        sending(POST + CLOSE + b"Content-Length: %d\r\n\r\n" % len(DEEP) + DEEP),
        (b"400", b""),
    ),
    "numbers that are refused": (20, posting(BATCH, FLAWS), (b"400", b"")),
    "one number at the end": (20, posting(BATCH, LAST_FLAW), (b"400", b"")),
    "repeated names": (20, posting(POST, TWICE), (b"400", b"")),
    "a million values": (20, posting(BATCH, MANY_VALUES), (b"400", b"")),
    "100 MB in chunks": (
        4,
        pouring(POST + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK, 1600),
        (b"413", b""),
    ),
    "gzip bomb": (
        20,
        sending(POST + CLOSE + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
        (b"415", b""),
    ),
    "10,000 headers": (20, sending(POST + b"X: 1\r\n" * 10_000 + b"\r\n"), (b"431", b"")),
    "an endless header": (20, pouring(POST + b"X: ", b"x" * (1 << 16), 1600), (b"431", b"")),
    "an endless line": (20, pouring(b"GET /", b"x" * (1 << 16), 1600), (b"414", b"")),
    "slow heads": (200, dripping(POST, b"X: 1\r\n"), (b"408", b"")),
    "slow bodies": (200, dripping(POST + b"Content-Length: 1000\r\n\r\n", b" "), (b"408", b"")),
    "silence": (500, sending(), (b"",)),
    "pipelined garbage": (50, sending(GET * 500 + b"\x00\xff garbage\r\n\r\n" * 100), (b"200", b"")),
    "HTTP/2": (50, sending(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100)), (b"400", b"")),
    "TLS": (50, sending(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)), (b"400", b"")),
    "websockets": (
        50,
        sending(
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            b"\x81\x05hello" * 1000,
        ),
        (b"200",),
    ),
    "whole lists, taken by nobody": (50, take_nothing, (b"",)),
}
"""What is tried: by how many at once, and the statuses that may be told.

An empty one stands for none: whoever still sends when the connection is closed may lose what was said to it.
"""


def status_of(said: bytes) -> bytes:
    return said[9:12]
