import logging
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.exceptions import HTTPException, InternalServerException, NotAuthorizedException

from api.conftest import Service, problem, registered
from registry.api.problem_pages import markdown
from registry.errors import Refusal, RegistryError
from registry.http.kinds import BY_NAME, KINDS
from registry.http.problems import KIND_OF, InBatch, Problem, describe

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "problems.md"


@pytest.mark.parametrize(
    "path", ["/nothing", "/events/1/2", "/problems/unheard-of", "/favicon.ico", "/schema", "/agreement"]
)
async def test_what_is_not_there_is_a_problem(service: Service, path: str):
    problem(await service.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/events", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("DELETE", "/events/1", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/log", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/agreements/abc-def", {"GET", "HEAD", "OPTIONS"}),
        ("BREW", "/", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_a_method_that_is_not_taken_is_a_problem(
    service: Service, method: str, path: str, allowed: set[str]
):
    response = await service.client.request(method, path)
    problem(response, 405, "method-not-allowed")
    assert set(response.headers["Allow"].split(", ")) == allowed


async def test_options_lists_the_methods(service: Service):
    response = await service.client.options("/events")
    assert response.status_code == 204
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}


async def test_a_host_that_is_none_is_a_problem(service: Service):
    problem(await service.get("/healthz", headers={"Host": "a b"}), 400, "malformed")


async def test_an_unexpected_error_is_a_500_that_tells_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError("the secret of the house")

    monkeypatch.setattr(service.app.state.reader, "head", fails)
    with caplog.at_level(logging.ERROR, logger="registry.http.problems"):
        response = await service.get("/log?min_position=0")
    said = problem(response, 500, "internal-error")
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    assert "min_position" not in response.text
    (record,) = [record for record in caplog.records if record.name == "registry.http.problems"]
    assert said["request_id"] in record.getMessage()
    assert "min_position" not in record.getMessage()
    assert record.exc_info is not None
    assert "secret" in str(record.exc_info[1])


async def test_an_expected_error_is_not_logged(service: Service, caplog: pytest.LogCaptureFixture):
    await service.get("/nothing")
    await service.post({})
    assert [record for record in caplog.records if record.name == "registry.http.problems"] == []


async def test_the_request_id_is_the_one_the_client_gave(service: Service):
    response = await service.get("/nothing", headers={"X-Request-ID": "trace-12345678"})
    assert problem(response, 404, "not-found")["request_id"] == "trace-12345678"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with blank and <b>", "a\tb-12345678"])
async def test_a_request_id_that_is_none_is_replaced(service: Service, given: str):
    response = await service.get("/nothing", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{32}", problem(response, 404, "not-found")["request_id"])


async def test_the_title_never_varies(service: Service):
    said = [
        problem(await service.get("/events?x=1"), 400, "malformed"),
        problem(await service.send(b"{"), 400, "malformed"),
        problem(await service.post(registered(), If_Match="*"), 400, "malformed"),
    ]
    assert {each["title"] for each in said} == {BY_NAME["malformed"].title}
    assert len({each["detail"] for each in said}) == 3


async def test_every_problem_has_its_page(service: Service):
    listed = (await service.get("/problems")).text
    for kind in KINDS:
        response = await service.get(kind.type)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert kind.title in response.text
        assert f'href="{kind.type}"' in listed


def test_the_documentation_of_problems_is_the_generated_one():
    """Written by: python -c "from registry.api.problem_pages import markdown; print(markdown(), end='')"."""
    assert DOCS.read_text(encoding="utf-8") == markdown()


def test_kinds_have_names_of_their_own():
    assert len(BY_NAME) == len(KINDS)
    assert all(400 <= kind.status < 600 for kind in KINDS)
    assert all(kind.type == f"/problems/{kind.name}" for kind in KINDS)


def subclasses(cls: type[Exception]) -> set[type[Exception]]:
    return {cls, *(found for each in cls.__subclasses__() for found in subclasses(each))}


def test_every_error_of_the_domain_is_mapped():
    bases = {RegistryError, Refusal, InBatch}  # a batch's refusal is what refused one of its events
    for cls in subclasses(RegistryError) - bases:
        if cls.__module__.startswith(("registry.errors", "registry.api")):
            assert any(issubclass(cls, mapped) for mapped, *_ in KIND_OF), cls


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (HTTPException(status_code=413), "malformed"),
        (HTTPException(status_code=418), "malformed"),
        (NotAuthorizedException(), "malformed"),
        (InternalServerException(), "internal-error"),
        (KeyError("x"), "internal-error"),
        (RegistryError("without a kind"), "internal-error"),
    ],
)
def test_whatever_else_is_raised_is_some_kind(error: Exception, name: str):
    assert describe(error)[0].name == name


def test_a_problem_leaves_out_what_it_does_not_say():
    bare = Problem(type="/problems/x", title="t", status=400, detail="d", request_id="r")
    assert set(msgspec.to_builtins(bare)) == {"type", "title", "status", "detail", "request_id"}
