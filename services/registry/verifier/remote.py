"""Reading over HTTP with the standard library: one host, no redirects, limits on size and time.

A server that says when to come back is asked again then, as verifying a whole log asks for more than a careful server
gives at once.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from registry.verifier.mirror import Fetch
from registry.verifier.outcome import Ended, malformed, unreadable

TIMEOUT = 30.0
"""Seconds without an answer."""
OK = 200
REFUSED = frozenset({401, 403})
BUSY = frozenset({429, 503})
MOST_WAITS = 20
"""Times that a server may put off one answer."""
LONGEST_WAIT = 60
"""Seconds for which one answer may be put off at a time; a server that asks for longer is not waited for."""


class Refusal(Ended):
    """The server does not let this in: entries are for those with a key."""


class Address(NamedTuple):
    secure: bool
    host: str
    port: int | None
    prefix: str
    """What stands before every path, without a slash at its end."""


def parse_url(url: str) -> Address:
    """Read the URL of a log: https, or http to this machine alone. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a log is at an https:// URL")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("the URL of a log has no user, no query and no fragment")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise ValueError("http:// is for this machine alone; elsewhere a log is read over https://")
    return Address(parts.scheme == "https", parts.hostname, parts.port, parts.path.rstrip("/"))


@contextmanager
def fetching(
    url: str, api_key: str = "", timeout: float = TIMEOUT, wait: Callable[[float], None] = time.sleep
) -> Iterator[Fetch]:
    """Open a log over HTTP. Raises ValueError on a URL that is none."""
    address = parse_url(url)
    kind = HTTPSConnection if address.secure else HTTPConnection
    connection = kind(address.host, address.port, timeout=timeout)
    headers = {"User-Agent": "registry-verify", "Accept-Encoding": "identity"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"

    def ask(path: str, most: int) -> tuple[HTTPResponse, bytes]:
        try:
            connection.request("GET", f"{address.prefix}/{path}", headers=headers)
            answer = connection.getresponse()
            return answer, answer.read(most + 1)
        except (OSError, HTTPException) as error:
            connection.close()
            raise unreadable(
                path, f"{address.host} does not answer: {error or type(error).__name__}"
            ) from error

    def fetch(path: str, most: int) -> bytes:
        answer, content = ask(path, most)
        for _ in range(MOST_WAITS):
            seconds = _put_off(answer)
            if seconds is None:
                break
            connection.close()
            wait(seconds)
            answer, content = ask(path, most)
        if answer.status in REFUSED:
            connection.close()
            raise Refusal(unreadable(path, "").problem.code, path, "the server does not let this in")
        if answer.status != OK:
            connection.close()
            raise unreadable(path, f"the server answers {answer.status}")  # a redirect too is not followed
        if len(content) > most:
            connection.close()
            raise malformed(path, f"it is longer than {most} bytes")
        return content

    try:
        yield fetch
    finally:
        connection.close()


@contextmanager
def files_below(directory: Path) -> Iterator[Fetch]:
    """Open a log that was mirrored into files."""
    root = directory.resolve()

    def fetch(path: str, most: int) -> bytes:
        file = (root / path).resolve()
        if not file.is_relative_to(root):
            raise malformed(path, "it is a link that leads out of the directory")
        try:
            with file.open("rb") as opened:
                content = opened.read(most + 1)
        except OSError as error:
            raise unreadable(path, error.strerror or "it cannot be opened") from error
        if len(content) > most:
            raise malformed(path, f"it is longer than {most} bytes")
        return content

    yield fetch


def _put_off(answer: HTTPResponse) -> int | None:
    """Read in how many seconds a server wants to be asked again (RFC 9110 section 10.2.3), if it says so."""
    text = answer.headers.get("Retry-After", "").strip()
    if (
        answer.status not in BUSY
        or not (text.isascii() and text.isdigit())
        or len(text) > len(str(LONGEST_WAIT))
    ):
        return None
    return int(text) if int(text) <= LONGEST_WAIT else None


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
