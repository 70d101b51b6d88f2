"""Watching requests: their ids, their figures and their lines."""

import asyncio
import io
import json
import logging
from typing import Any

import pytest

from registry.config import Settings
from registry.http import lines
from registry.http.lines import AccessLines, Clock, Json, Line, Text
from registry.http.told import Told, request_id, told_of
from registry.http.watched import Requests, Watched

SECRET = "the-secret-of-the-query"


def scope(method: str = "GET", **more: Any) -> dict[str, Any]:
    query = {"path": f"/{SECRET}", "query_string": SECRET.encode()}
    return {"type": "http", "method": method, "headers": [], **query, **more}


class Behind:
    """An application that answers, or does not."""

    def __init__(self, status: int = 200, *, fails: bool = False) -> None:
        self.status = status
        self.fails = fails

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            scope["seen"] = True
            return
        told = told_of(scope)
        told.template, told.principal, told.position = "/events", "the-principal", 7
        if self.fails:
            raise asyncio.CancelledError
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"12345"})


async def asked(
    behind: Behind, given: dict[str, Any], *, json: bool = True
) -> tuple[list[Any], Requests, str]:
    """Send one request through; give what was sent back, the figures and the lines."""
    sent: list[Any] = []
    stream = io.StringIO()
    written = AccessLines(json=json, stream=stream)
    requests = Requests()

    async def send(message: Any) -> None:
        sent.append(message)

    app: Any = None
    try:
        await Watched(app, behind, requests, written)(given, None, send)  # type: ignore[arg-type]
    finally:
        written.flush()
    return sent, requests, stream.getvalue()


async def test_a_request_is_one_line_without_its_path_and_query():
    sent, _, text = await asked(Behind(201), scope("POST"))
    told = json.loads(text)
    assert told.pop("time").endswith("Z")
    assert told.pop("duration_ms") >= 0
    id = told.pop("request_id")
    assert dict(sent[0]["headers"])[b"x-request-id"].decode() == id
    assert told == {
        "level": "info",
        "method": "POST",
        "route": "/events",
        "status": 201,
        "bytes": 5,
        "principal": "the-principal",
        "position": 7,
    }
    assert SECRET not in text


async def test_the_same_is_said_to_people():
    _, _, text = await asked(Behind(503), scope(), json=False)
    assert " WARNING GET /events 503 " in text
    assert text.endswith(" principal=the-principal position=7\n")


@pytest.mark.parametrize("given", ["0123456789abcdef", "trace.of-some_body"])
async def test_an_id_that_fits_is_taken_and_given_back(given: str):
    sent, _, text = await asked(Behind(), scope(headers=[(b"x-request-id", given.encode())]))
    assert json.loads(text)["request_id"] == given
    assert (b"x-request-id", given.encode()) in sent[0]["headers"]


@pytest.mark.parametrize("given", ["short", "a" * 65, "with blank", 'quo"ted-name', "größer-als"])
def test_an_id_that_does_not_fit_is_made_anew(given: str):
    made = request_id([(b"x-request-id", given.encode())])
    assert len(made) == 32
    assert made != request_id([])


async def test_a_problem_has_the_id_once():
    class Refusing(Behind):
        async def __call__(self, scope, receive, send) -> None:
            id = told_of(scope).request_id.encode()
            await send({"type": "http.response.start", "status": 404, "headers": [(b"x-request-id", id)]})

    sent, _, _ = await asked(Refusing(), scope())
    assert [name for name, _ in sent[0]["headers"]] == [b"x-request-id"]


async def test_a_request_that_is_given_up_is_counted_as_gone():
    with pytest.raises(asyncio.CancelledError):
        await asked(Behind(fails=True), scope())
    requests = Requests()
    watched = Watched(None, Behind(fails=True), requests)  # type: ignore[arg-type]
    with pytest.raises(asyncio.CancelledError):
        await watched(scope("BREW"), None, None)  # type: ignore[arg-type]
    (sample,) = requests.families()[0].samples
    assert dict(sample.labels) == {"method": "other", "route": "/events", "status": "4xx"}
    assert requests.under_way == 0


async def test_what_is_no_request_passes_through():
    given: dict[str, Any] = {"type": "lifespan"}
    _, requests, text = await asked(Behind(), given)
    assert given["seen"]
    assert text == ""
    assert requests.families()[0].samples == ()


def test_a_stream_is_counted_and_not_timed():
    requests = Requests()
    requests.add("GET", Told("id", "/events", lasting=True), 200, 900.0)
    counted, timed, _ = requests.families()
    assert (len(counted.samples), len(timed.samples)) == (1, 0)


async def test_lines_are_written_together_and_no_later_than_a_moment(monkeypatch: pytest.MonkeyPatch):
    stream = io.StringIO()
    monkeypatch.setattr(lines, "MOST_WAITING", 3)
    written = AccessLines(json=True, stream=stream)
    line = Line("", "info", "GET", "/log", 200, 1.0, 2, "an-id-of-it")
    for _ in range(2):
        written.add(line)
    assert stream.getvalue() == ""
    written.add(line)
    assert len(stream.getvalue().splitlines()) == 3
    stream.close()
    written.add(line)
    written.flush()  # nobody reads any more, and nothing is raised
    written.flush()


def test_the_clock_writes_milliseconds():
    clock = Clock()
    assert clock.text(0.0) == "1970-01-01T00:00:00.000Z"
    assert [clock.text(1.25), clock.text(1.75)] == ["1970-01-01T00:00:01.250Z", "1970-01-01T00:00:01.750Z"]


def record(**more: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "registry.x", "levelname": "ERROR", "msg": "it\nfailed", **more})
    made.created = 0.0
    return made


def test_an_error_is_one_object_with_what_is_known_of_it():
    try:
        raise ValueError("why")  # noqa: TRY301 - to have a traceback
    except ValueError as error:
        given = record(exc_info=(ValueError, error, error.__traceback__), request_id="abc", path={1})
    text = Json().format(given)
    assert "\n" not in text
    told = json.loads(text)
    assert told["message"] == "it\nfailed"
    assert (told["level"], told["logger"], told["request_id"]) == ("error", "registry.x", "abc")
    assert told["error"].endswith("ValueError: why")
    shown = Text().format(given)
    assert "ERROR registry.x: it" in shown
    assert "request_id=abc" in shown
    assert shown.endswith("ValueError: why")


@pytest.fixture
def restored() -> Any:
    """What is configured here is taken back."""
    root, ours = logging.getLogger(), logging.getLogger("registry")
    before = list(root.handlers), root.level, ours.level, [logging.getLogger(n).level for n in lines.CHATTY]
    yield
    root.handlers[:], root.level, ours.level = before[0], before[1], before[2]
    for name, level in zip(lines.CHATTY, before[3], strict=True):
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=False)


def test_levels_and_formats_are_those_of_the_settings(restored: Any, capsys: pytest.CaptureFixture[str]):
    for _ in range(2):  # a second time takes the place of the first
        handler = lines.configure(Settings(log_format="json", log_level="warning"))
    logging.getLogger("registry.x").info("not this")
    logging.getLogger("registry.x").warning("but this")
    logging.getLogger("httpx").info("nor this")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["but this"]
    logging.getLogger().removeHandler(handler)


def test_lines_of_requests_can_be_off():
    assert lines.access_lines(Settings()) is not None
    assert lines.access_lines(Settings(access_lines=False)) is None
    assert lines.access_lines(Settings(log_level="error")) is None
    assert lines.is_json(Settings()) == (not lines.is_json(Settings(log_format="text")))
