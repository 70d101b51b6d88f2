"""Every resource that is read: its ETag, its 304, what may be kept of it, and its HEAD."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from litestar.handlers import HTTPRouteHandler

from api.conftest import Service, problem, serving
from api.logged import checkpoint_of
from projections.reading import AGREEMENT, STORY
from registry.api.routes import route_handlers
from registry.http.answer import OPEN
from registry.http.freshness import CHECKPOINT
from registry.http.parameters import READS
from registry.http.routing import OPERATION, Operation

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = 71
AT = {
    "/events/{position:str}": "/events/33",
    "/events/{position:str}/entry": "/events/33/entry",
    "/parties/{id:str}": "/parties/pak",
    "/pairs/{a:str}/{b:str}": "/pairs/pak/slv",
    "/agreements/{id:str}/compare": f"/agreements/{AGREEMENT}/compare?from=29&to=71",
    "/parties/{id:str}/calendar.ics": "/parties/pak/calendar.ics",
    "/parties/{id:str}/feed.atom": "/parties/pak/feed.atom",
    "/log/bundle": f"/log/bundle?agreement={AGREEMENT}",
    "/log/proof/inclusion": "/log/proof/inclusion?position=5",
    "/log/proof/consistency": "/log/proof/consistency?from=5",
    "/log/proof/inclusion.tlog-proof": "/log/proof/inclusion.tlog-proof?position=5",
    "/tile/entries/{tile:path}": f"/tile/entries/000.p/{EVENTS}",
    "/tile/{tile:path}": f"/tile/0/000.p/{EVENTS}",
    "/schemas/{file:str}": "/schemas/agreement.signed.v1.schema.json",
    "/problems/{name:str}": "/problems/rejected",
}
"""Where a resource with a name in its path, or a parameter that it needs, is read here."""


def path_of(handler: HTTPRouteHandler) -> str:
    (path,) = handler.paths
    return AT.get(path, path.replace("{id:str}", AGREEMENT))


def read_by(*, tagged: bool) -> list[str]:
    return sorted(path_of(handler) for handler in READ if described(handler).tagged == tagged)


def described(handler: HTTPRouteHandler) -> Operation:
    operation: Operation = handler.opt[OPERATION]
    return operation


READ = [handler for handler in route_handlers if "GET" in handler.http_methods]
HANDLER = {path_of(handler): handler for handler in READ}
TAGGED = read_by(tagged=True)
UNTAGGED = read_by(tagged=False)
WHOLE = [
    (path, content.media_type)
    for path, handler in HANDLER.items()
    if 406 in described(handler).problems and isinstance(forms := described(handler).answers[200], tuple)
    for content in forms
    if content.media_type in ("text/csv", "application/x-ndjson")
]
"""What is read in pages, with the forms in which all of it is given."""
GROWING = [path for path, handler in HANDLER.items() if handler.opt[READS]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory, sqlite_template) -> AsyncIterator[Service]:
    """A service that knows the story, has published it, and whose read models have seen it."""
    path = tmp_path_factory.mktemp("caching") / "registry.db"
    path.write_bytes(sqlite_template.read_bytes())
    async with serving(f"sqlite:///{path}") as service:
        lines = [line for name in ("report_a", "report_b") for line in told_by(name)]
        answer = await service.batch(*map(json.loads, lines))
        assert answer.status_code == 201, answer.text
        await checkpoint_of(service, EVENTS)
        for path in GROWING:
            await at_least(service, path, EVENTS)
        yield service


def told_by(report: str) -> list[bytes]:
    return (STORY / f"{report}.ndjson").read_bytes().splitlines()


async def at_least(service: Service, path: str, position: int) -> httpx.Response:
    behind = f"{'&' if '?' in path else '?'}min_position={position}"
    response = await service.get(path + behind, headers={"Prefer": "wait=20"})
    assert response.status_code == 200, (path, response.text)
    assert response.headers["Preference-Applied"] == "wait=20"
    return response


async def test_every_resource_is_either_kept_or_says_that_it_is_not():
    assert len(TAGGED) + len(UNTAGGED) == len(HANDLER) == len(READ)
    assert {"/healthz", "/readyz"} <= set(UNTAGGED)


@pytest.mark.parametrize("path", TAGGED)
async def test_what_is_read_has_a_strong_etag_and_is_not_sent_again(told: Service, path: str):
    first = await told.get(path)
    assert first.status_code == 200, first.text
    etag = first.headers["ETag"]
    assert etag[0] == etag[-1] == '"'
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = await told.get(path, headers={"If-None-Match": known})
        assert again.status_code == 304
        assert again.content == b""
        for name in ("ETag", "Cache-Control", "Vary", "Registry-Position"):
            assert again.headers.get(name) == first.headers.get(name)
        assert "Content-Type" not in again.headers
    other = await told.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)
    assert other.headers["ETag"] == etag


@pytest.mark.parametrize(("path", "form"), WHOLE)
async def test_the_whole_of_what_is_read_in_pages_is_not_sent_again_either(
    told: Service, path: str, form: str
):
    accept = {"Accept": form}
    first, head = await told.get(path, headers=accept), await told.head(path, headers=accept)
    assert first.headers["Content-Type"].startswith(form)
    etag = first.headers["ETag"]
    assert etag[0] == etag[-1] == '"'
    assert etag != (await told.get(path)).headers["ETag"]
    assert head.headers["ETag"] == etag
    assert first.headers["Cache-Control"] == "private, no-cache"
    for ask in (told.get, told.head):
        again = await ask(path, headers=accept | {"If-None-Match": f"W/{etag}"})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary", "Registry-Position"):
            assert again.headers[name] == first.headers[name]
    other = await told.get(path, headers=accept | {"If-None-Match": '"other"'})
    assert (other.status_code, other.content, other.headers["ETag"]) == (200, first.content, etag)


@pytest.mark.parametrize("path", TAGGED)
async def test_what_may_be_kept_fits_who_may_read_it(told: Service, path: str):
    said = (await told.get(path)).headers["Cache-Control"]
    if HANDLER[path].opt[OPEN]:
        assert said.startswith("public, max-age=")
        assert HANDLER[path].opt[READS] == ((CHECKPOINT,) if path == "/checkpoint" else ())
    else:
        assert said == "private, no-cache"
    assert ("immutable" in said) == path.startswith("/tile/0/")


@pytest.mark.parametrize("path", UNTAGGED)
async def test_what_is_of_this_moment_is_kept_by_nobody(told: Service, path: str):
    response = await told.get(path)
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers


@pytest.mark.parametrize("path", [*TAGGED, *UNTAGGED])
async def test_head_has_the_headers_of_get_and_no_body(told: Service, path: str):
    get, head = await told.get(path), await told.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    moving = {"x-request-id"}  # of a problem: what is not ready yet
    if path == "/metrics":  # counts go on between the two
        moving.add("content-length")
    assert {k: v for k, v in head.headers.items() if k not in moving} == {
        k: v for k, v in get.headers.items() if k not in moving
    }
    assert int(get.headers["Content-Length"]) == len(get.content)
    known = {"If-None-Match": get.headers.get("ETag", '"none"')}
    assert (await told.head(path, headers=known)).status_code == (
        304 if "ETag" in get.headers else get.status_code
    )


@pytest.mark.parametrize("path", GROWING)
async def test_every_read_of_what_grows_says_how_far_it_has_seen_and_can_be_held_to_it(
    told: Service, path: str
):
    response = await at_least(told, path, EVENTS)
    assert int(response.headers["Registry-Position"]) >= EVENTS
    behind = f"{'&' if '?' in path else '?'}min_position={EVENTS + 1}"
    said = problem(await told.get(path + behind), 504, "position-not-reached")
    assert said["position"] == EVENTS


@pytest.mark.parametrize("path", sorted(set(HANDLER) - set(GROWING)))
async def test_what_does_not_grow_with_the_log_knows_no_position(told: Service, path: str):
    response = await told.get(f"{path}{'&' if '?' in path else '?'}min_position=1")
    problem(response, 400, "malformed")


@pytest.mark.parametrize(("path", "form"), [*WHOLE, *((path, "application/json") for path, _ in WHOLE)])
async def test_what_is_read_in_pages_says_once_that_it_varies(told: Service, path: str, form: str):
    for ask in (told.get, told.head):
        first = await ask(path, headers={"Accept": form})
        assert first.headers.get_list("Vary") == ["Accept"]
        known = {"Accept": form, "If-None-Match": first.headers["ETag"]}
        assert (await ask(path, headers=known)).headers.get_list("Vary") == ["Accept"]
        refused = await ask(path, headers={"Accept": "image/png"})
        assert (refused.status_code, refused.headers.get_list("Vary")) == (406, ["Accept"])


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/event-stream"])
async def test_what_has_several_forms_varies_by_what_is_accepted(told: Service, accept: str):
    response = await told.head("/events", headers={"Accept": accept})
    assert response.headers["Vary"] == "Accept"
    assert response.headers["Content-Type"] == accept
