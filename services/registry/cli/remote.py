"""A registry behind a URL: how the commands reach it, and what its answers mean."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from registry import __version__
from registry.cli.environment import api_key
from registry.cli.exits import UNREACHABLE, USAGE, Stop
from registry.cli.lines import Line
from registry.cli.outcome import Outcome
from registry.cli.problems import behind
from registry.domain import strict_json
from registry.errors import Malformed, NotFound, RegistryError, Unavailable

ONE = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
NOT_LET_IN = (401, 403)
BUSY = (429, 502, 503, 504)
TIMEOUT = httpx.Timeout(60.0, connect=10.0)


class Remote:
    """Appends through a server, which decides; only what could spoil its neighbours is refused here."""

    def __init__(self, client: httpx.Client, *, dry: bool = False) -> None:
        self._client = client
        self._dry = {"dry_run": "true"} if dry else {}
        self._answered = False

    def prepare(self, line: Line) -> bytes:
        """Check that the line is one JSON object. Raises Malformed."""
        if not isinstance(strict_json.decode(line.raw), dict):
            raise Malformed("an event is a JSON object")
        return line.raw

    def append(self, events: Sequence[bytes]) -> list[Outcome | RegistryError]:
        """Post a batch; of a refused one each half by itself, down to the event that is to blame.

        Each half keeps its order and comes in its turn, so every event is decided as if they had come one by
        one. Raises Unavailable when the server cannot take them now, and Stop when there has never been one.
        """
        try:
            return self._post(events)
        except Unavailable:
            raise
        except RegistryError as error:
            if len(events) == 1:
                return [error]
            if self._dry and isinstance(error, Blamed):
                return self._without(events, error)
        middle = len(events) // 2
        return self.append(events[:middle]) + self.append(events[middle:])

    def _without(self, events: Sequence[bytes], error: "Blamed") -> list[Outcome | RegistryError]:
        """Try the others of a batch together: they may need each other, and nothing of it is recorded."""
        others = [event for place, event in enumerate(events) if place not in error.places]
        found = iter(self.append(others) if others else ())
        return [error if place in error.places else next(found) for place in range(len(events))]

    def _post(self, events: Sequence[bytes]) -> list[Outcome | RegistryError]:
        """Post one event as one, so that what is said of it is said of it alone, and several as a batch."""
        alone = len(events) == 1
        content = events[0] if alone else b"[" + b",".join(events) + b"]"
        try:
            with reached(self._client.base_url):
                response = self._client.post(
                    "/events", params=self._dry, content=content, headers=ONE if alone else BATCH
                )
        except Unavailable as error:
            if self._answered:  # it was there and may come back
                raise
            raise Stop(UNREACHABLE, error.detail) from error
        self._answered = True
        if self._dry and not alone and response.is_client_error:
            blame(response, len(events))
        receipts = answer(response)
        return [*outcomes([receipts] if alone else receipts, len(events), response, dry=bool(self._dry))]


class Blamed(RegistryError):
    """Events of a batch are to blame, by their places in it."""

    def __init__(self, detail: str, places: frozenset[int]) -> None:
        super().__init__(detail)
        self.places = places


def blame(response: httpx.Response, many: int) -> None:
    """Raise Blamed when a problem names events of the batch; another problem is about the whole of it."""
    try:
        pointers = [str(flaw["pointer"]).split("/") for flaw in response.json()["errors"]]
    except (ValueError, KeyError, TypeError):
        return
    places = frozenset(int(tokens[1]) for tokens in pointers if len(tokens) > 1 and tokens[1].isdecimal())
    if places and max(places) < many:
        raise Blamed(in_words(response), places)


class Warned(msgspec.Struct, frozen=True):
    code: str
    detail: str


class Receipt(msgspec.Struct, frozen=True):
    """What is read of a receipt."""

    replayed: bool
    warnings: tuple[Warned, ...]
    position: int = 0


def outcomes(receipts: Any, many: int, response: httpx.Response, *, dry: bool = False) -> Iterator[Outcome]:
    """Read the receipts of so many events, or with ``dry`` the forecasts. Raises Stop when they are none."""
    try:
        read = msgspec.convert(receipts, tuple[Receipt, ...])
    except msgspec.ValidationError as error:
        raise strange(response, str(error)) from error
    if len(read) != many:
        raise strange(response, f"{len(read)} receipts for {many} events")
    if not dry and not all(receipt.position for receipt in read):
        raise strange(response, "a receipt without a position")
    for receipt in read:
        warnings = tuple(f"{warning.code}: {warning.detail}" for warning in receipt.warnings)
        yield Outcome(receipt.position, receipt.replayed, warnings)


def strange(response: httpx.Response, why: str) -> Stop:
    """Say that whoever answers is no registry of this kind."""
    return Stop(UNREACHABLE, f"{response.url} does not answer like a registry: {why}")


@contextmanager
def remote(url: str, *, dry: bool = False) -> Iterator[Remote]:
    """Open a connection to append through, or to try. Raises Stop when ``url`` is none of a server."""
    with httpx.Client(**client_options(url)) as client:
        yield Remote(client, dry=dry)


def client_options(url: str) -> dict[str, Any]:
    """Return what an httpx client for the registry at ``url`` is made with. Raises Stop."""
    try:
        base = httpx.URL(url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise Stop(USAGE, f"{url} is not a URL: {error}") from error
    if base.scheme not in ("http", "https") or not base.host:
        raise Stop(USAGE, f"{url} is not a URL of a server: it begins with http:// or https://")
    headers = {"User-Agent": f"agreement-registry/{__version__}", "Accept": "application/json"}
    if key := api_key():
        headers["Authorization"] = f"Bearer {key}"
    return {"base_url": base, "headers": headers, "timeout": TIMEOUT}


def get(url: str, path: str, **query: str) -> Any:
    """Ask a server for a JSON document. Raises NotFound, RegistryError, Unavailable or Stop."""
    with httpx.Client(**client_options(url)) as client, reached(client.base_url):
        return answer(client.get(path, params=query))


def post(url: str, path: str, *, json: Any = None, seconds: float = 3600.0) -> Any:
    """Have a server do something, which may take long. Raises NotFound, RegistryError, Unavailable or Stop."""
    with httpx.Client(**client_options(url)) as client, reached(client.base_url):
        return answer(client.post(path, json=json, timeout=httpx.Timeout(seconds, connect=10.0)))


def delete(url: str, path: str) -> Any:
    """Have a server take something out of use. Raises NotFound, RegistryError, Unavailable or Stop."""
    with httpx.Client(**client_options(url)) as client, reached(client.base_url):
        return answer(client.delete(path))


@contextmanager
def reached(url: httpx.URL) -> Iterator[None]:
    """Turn a lost or refused connection into Unavailable."""
    try:
        yield
    except httpx.TransportError as error:
        raise Unavailable(f"cannot reach {url}: {str(error) or type(error).__name__}") from error


def answer(response: httpx.Response) -> Any:
    """Return the JSON of a good answer; raise what any other one means."""
    code = response.status_code
    if response.is_success:
        return _document(response)
    said = in_words(response)
    if code in BUSY:
        raise Unavailable(said, retry_after=_seconds(response.headers.get("Retry-After", "")))
    if code in NOT_LET_IN:
        raise Stop(
            UNREACHABLE, f"{response.url.host} does not let this command in: {said} (REGISTRY_API_KEY)"
        )
    if not response.headers.get("Content-Type", "").startswith("application/problem+json"):
        raise strange(response, said)
    if code == httpx.codes.NOT_FOUND:
        raise NotFound(said)
    raise RegistryError(said)


def in_words(response: httpx.Response) -> str:
    """Say on one line what a problem document says (RFC 9457)."""
    try:
        problem = response.json()
        said = str(problem.get("detail") or problem["title"])
        flaws = [f"{place_of(flaw)}{flaw['detail']}" for flaw in problem.get("errors", ())]
        positions = [int(position) for position in problem.get("positions", ())]
        rule = problem.get("rule")
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {response.status_code} {response.reason_phrase}".rstrip()
    if rule:
        return f"{rule}: {said}{behind(positions)}"
    return "; ".join(flaws) or said


def place_of(flaw: Mapping[str, str]) -> str:
    """Name the place of a flaw: a pointer into the event, or a parameter or header of the request."""
    place = flaw.get("pointer") or flaw.get("parameter") or flaw.get("header")
    return f"{place}: " if place else ""


def _document(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise strange(response, "no JSON") from error


def _seconds(text: str) -> int:
    """Read Retry-After; a date or nothing counts as one second."""
    return min(int(text), 60) if text.isascii() and text.isdigit() else 1
