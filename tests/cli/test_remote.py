"""A registry behind a URL, played by a function that answers requests."""

import json
from collections.abc import Callable

import httpx
import pytest

from registry.cli.exits import UNREACHABLE, USAGE, Stop
from registry.cli.feed import RemoteFeed, Wanted
from registry.cli.lines import Line
from registry.cli.remote import Remote, answer, client_options
from registry.errors import Malformed, NotFound, RegistryError, Unavailable

Handler = Callable[[httpx.Request], httpx.Response]


def remote(handler: Handler) -> Remote:
    return Remote(httpx.Client(base_url="http://registry.example", transport=httpx.MockTransport(handler)))


def receipt(position: int) -> dict[str, object]:
    return {
        "position": position,
        "replayed": position % 2 == 0,
        "warnings": [{"code": "binding-loi", "detail": "a letter of intent", "positions": []}],
    }


def problem(status: int, **members: object) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": "application/problem+json"}, json=members)


def test_a_batch_is_posted_byte_for_byte():
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json=[receipt(1), receipt(2)])

    outcomes = remote(handler).append([b'{"a" :1}', b"{}"])
    assert seen[0].content == b'[{"a" :1},{}]'
    assert seen[0].headers["Content-Type"].startswith("application/cloudevents-batch+json")
    assert [(outcome.position, outcome.replayed) for outcome in outcomes] == [(1, False), (2, True)]
    assert outcomes[0].warnings == ("binding-loi: a letter of intent",)


def test_one_bad_event_costs_only_itself_and_the_order_is_kept():
    recorded: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        posted = json.loads(request.content)
        numbers = posted if isinstance(posted, list) else [posted]
        if 5 in numbers or 11 in numbers:
            return problem(422, title="Not an event", detail="5 and 11 are bad")
        recorded.extend(numbers)
        receipts = [receipt(number) for number in numbers]
        return httpx.Response(201, json=receipts if isinstance(posted, list) else receipts[0])

    outcomes = remote(handler).append([str(number).encode() for number in range(1, 21)])
    assert recorded == [number for number in range(1, 21) if number not in (5, 11)]
    refused = [number for number, outcome in enumerate(outcomes, 1) if isinstance(outcome, RegistryError)]
    assert refused == [5, 11]
    assert all(
        isinstance(outcome, RegistryError) or outcome.position == number
        for number, outcome in enumerate(outcomes, 1)
    )


def test_a_server_that_was_never_there_ends_the_command():
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(Stop, match=r"cannot reach http://registry\.example") as stopped:
        remote(handler).append([b"{}"])
    assert stopped.value.code == UNREACHABLE


def test_a_server_that_goes_away_may_come_back():
    answers = iter([httpx.Response(201, json=receipt(1))])

    def handler(request: httpx.Request) -> httpx.Response:
        try:
            return next(answers)
        except StopIteration:
            raise httpx.ReadError("", request=request) from None

    registry = remote(handler)
    registry.append([b"{}"])
    with pytest.raises(Unavailable, match="ReadError"):
        registry.append([b"{}"])


def test_a_busy_server_says_when_to_come_back():
    def handler(_: httpx.Request) -> httpx.Response:
        response = problem(503, title="Unavailable", detail="the queue is full")
        response.headers["Retry-After"] = "7"
        return response

    with pytest.raises(Unavailable, match="the queue is full") as busy:
        remote(handler).append([b"{}", b"{}"])
    assert busy.value.retry_after == 7


@pytest.mark.parametrize("text", ["", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1_0"])
def test_a_time_to_come_back_that_is_no_number_is_a_second(text):
    response = problem(503, title="Unavailable")
    response.headers["Retry-After"] = text
    with pytest.raises(Unavailable) as busy:
        answer(response)
    assert busy.value.retry_after == 1


def respond(status: int, **made: object) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("GET", "http://registry.example/x"), **made)  # type: ignore[arg-type]


def test_a_closed_door_names_the_key():
    with pytest.raises(Stop, match="REGISTRY_API_KEY") as stopped:
        answer(respond(401))
    assert stopped.value.code == UNREACHABLE


@pytest.mark.parametrize("response", [respond(404, text="nginx"), respond(302), respond(200, text="<html>")])
def test_something_that_is_no_registry_is_recognised(response):
    with pytest.raises(Stop, match="does not answer like a registry"):
        answer(response)


def test_what_is_not_found_says_so():
    response = problem(404, title="Not found", detail="no agreement 'x'")
    with pytest.raises(NotFound, match="no agreement 'x'"):
        answer(response)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"detail": "not an event"}, "not an event"),
        ({"detail": "no", "errors": [{"pointer": "/type", "detail": "unknown"}]}, "/type: unknown"),
        ({"detail": "no", "errors": [{"pointer": "", "detail": "no object"}]}, "no object"),
        (
            {
                "detail": "no",
                "errors": [{"parameter": "limit", "detail": "a"}, {"header": "If-Match", "detail": "b"}],
            },
            "limit: a; If-Match: b",
        ),
        (
            {"detail": "correct it", "rule": "already-claimed", "positions": [4, 9]},
            "already-claimed: correct it [positions 4, 9]",
        ),
    ],
)
def test_a_refusal_says_what_and_where(members, said):
    with pytest.raises(RegistryError) as refused:
        answer(problem(422, title="Invalid", **members))
    assert refused.value.detail == said


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"detail": "x", "errors": 3}', b'{"detail": "x", "errors": ["y"]}']
)
def test_a_problem_that_is_none_still_has_its_code(body):
    response = httpx.Response(409, headers={"Content-Type": "application/problem+json"}, content=body)
    with pytest.raises(RegistryError, match="HTTP 409 Conflict"):
        answer(response)


@pytest.mark.parametrize("raw", [b"[]", b"1", b"{}, {}", b"{"])
def test_a_line_that_would_spoil_its_neighbours_is_refused_here(raw):
    with pytest.raises(Malformed):
        remote(lambda _: httpx.Response(500)).prepare(Line(1, raw, 0))


def test_a_line_goes_out_as_it_stands():
    assert (
        remote(lambda _: httpx.Response(500)).prepare(Line(1, b'{ "a": "\xc3\xa9" }', 0))
        == b'{ "a": "\xc3\xa9" }'
    )


def test_the_key_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("REGISTRY_API_KEY", "k1")
    assert client_options("http://registry.example/")["headers"]["Authorization"] == "Bearer k1"
    monkeypatch.delenv("REGISTRY_API_KEY")
    assert "Authorization" not in client_options("http://registry.example/")["headers"]


@pytest.mark.parametrize("url", ["registry.example", "ftp://registry.example", "http://", "http://a:b", "/x"])
def test_what_is_no_url_of_a_server_is_a_wrong_command_line(url):
    with pytest.raises(Stop, match="URL") as stopped:
        client_options(url)
    assert stopped.value.code == USAGE


@pytest.mark.parametrize(
    "said",
    [{}, [{}], [receipt(1), receipt(2)], [], "taken", [{"position": "1", "replayed": False, "warnings": []}]],
)
def test_receipts_that_are_none_are_not_believed(said):
    with pytest.raises(Stop, match="does not answer like a registry"):
        remote(lambda request: httpx.Response(201, json=said, request=request)).append([b"{}"])


@pytest.mark.parametrize(
    "said", [{}, {"events": 3}, {"events": [], "next": "x"}, {"events": [{"sequence": "x"}]}]
)
def test_a_page_that_is_none_is_not_believed(said):
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=said, headers={"Registry-Position": "3"}, request=request)

    client = httpx.Client(base_url="http://registry.example", transport=httpx.MockTransport(handler))
    with pytest.raises(Stop, match="no page of events"):
        RemoteFeed(client).page(0, Wanted())


def test_an_agreement_that_is_shown_otherwise_is_said(registry, monkeypatch):
    monkeypatch.setattr("registry.cli.remote.get", lambda *_, **__: {"id": "one"})
    ran = registry("show", "one", "--url", "http://registry.example")
    assert (ran.code, ran.err.count("\n")) == (UNREACHABLE, 1)
    assert "does not show agreements as this version does" in ran.err
