"""A client that sends any bytes, and reads one answer."""

import json
import socket
from typing import Any, NamedTuple


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    """Empty of an event stream, which goes on."""


class Raw:
    """One connection at a time, made anew when it was closed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None
        self._rest = b""

    def ask(self, request: bytes, *, end: bool = False, head: bool = False) -> Answered | None:
        """Send bytes and read an answer; None when the connection ends without one.

        ``end``: nothing more is sent after them. ``head``: the answer has no body.
        """
        fresh = self._socket is None
        connection = self._open()
        try:
            connection.sendall(request)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it may have been answered all the same
        answered = self._read(head=head)
        if answered is None and not fresh and not end:
            self.close()
            return self.ask(request, head=head)
        if answered is None or end or answered.headers.get("connection") == "close":
            self.close()
        return answered

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        return self._socket

    def _more(self) -> bool:
        assert self._socket is not None
        try:
            piece = self._socket.recv(1 << 18)
        except ConnectionError:
            return False
        self._rest += piece
        return bool(piece)

    def _until(self, mark: bytes) -> bytes | None:
        while mark not in self._rest:
            if not self._more():
                return None
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            assert self._more(), "the answer is cut off"
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _read(self, *, head: bool) -> Answered | None:
        read = self._until(b"\r\n\r\n")
        while read is not None and read.startswith(b"HTTP/1.1 100"):  # an answer is still to come
            read = self._until(b"\r\n\r\n")
        if read is None:
            return None
        line, *lines = read.decode("latin-1").split("\r\n")
        status = int(line.split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        if headers.get("content-type") == "text/event-stream":
            self.close()
            return Answered(status, headers | {"connection": "close"}, b"")
        if head or status in (204, 304):
            return Answered(status, headers, b"")
        if "content-length" in headers:
            return Answered(status, headers, self._exactly(int(headers["content-length"])))
        body = b""
        while size := int(self._until(b"\r\n") or b"0", 16):
            body += self._exactly(size)
            self._exactly(2)
        self._exactly(2)
        return Answered(status, headers, body)


def is_problem(answered: Answered) -> dict[str, Any]:
    """Check that an answer is a problem as all are, and give it."""
    assert answered.headers["content-type"] == "application/problem+json", answered
    said: dict[str, Any] = json.loads(answered.body)
    assert said["status"] == answered.status, answered
    assert said["type"].startswith("/problems/")
    assert said["detail"]
    assert said["request_id"] == answered.headers["x-request-id"]
    return said
