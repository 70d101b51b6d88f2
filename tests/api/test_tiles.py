from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api import static_log
from api.conftest import Service, problem, serving
from api.logged import checkpoint_of, fill, vkey_of
from conftest import ORIGIN
from registry.audit.keys import make_key

SIZE = 300
"""More than a full tile."""


@pytest.fixture
async def published(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service on each kind of database whose log of 300 events is published."""
    make_key(tmp_path / "key")
    async with serving(database_url, log_key_file=str(tmp_path / "key")) as service:
        await fill(service, SIZE)
        await checkpoint_of(service, SIZE)
        yield service


async def mirror(service: Service, into: Path) -> None:
    """Copy the log as static files."""
    note = (await service.get("/checkpoint")).content
    for path in ("checkpoint", *static_log.paths(int(note.split(b"\n")[1]))):
        response = await service.get(f"/{path}")
        assert response.status_code == 200, path
        file = into / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(response.content)


async def test_the_mirrored_log_verifies_by_the_specifications_alone(published: Service, tmp_path: Path):
    await mirror(published, tmp_path / "mirror")
    signed = static_log.check(lambda path: (tmp_path / "mirror" / path).read_bytes(), vkey_of(published))
    assert (signed.origin, signed.size) == (ORIGIN, SIZE)
    assert signed.root.hex() == (await published.get("/log")).json()["root"]


async def test_what_a_mirror_took_earlier_stays_true(published: Service, tmp_path: Path):
    await mirror(published, tmp_path / "mirror")
    await fill(published, 513)
    await checkpoint_of(published, 513)
    for path in static_log.paths(SIZE):
        assert (await published.get(f"/{path}")).content == (tmp_path / "mirror" / path).read_bytes(), path
    await mirror(published, tmp_path / "later")
    static_log.check(lambda path: (tmp_path / "later" / path).read_bytes(), vkey_of(published))


async def test_tiles_of_hashes_may_be_kept_by_anybody_for_ever(published: Service):
    for path in ("tile/0/000", "tile/0/001.p/44", "tile/0/000.p/7", "tile/1/000.p/1"):
        response = await published.get(f"/{path}")
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        again = await published.get(f"/{path}", headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code == 304
        head = await published.head(f"/{path}")
        assert head.headers["Content-Length"] == str(len(response.content))


async def test_tiles_of_entries_are_for_who_is_let_in(published: Service):
    response = await published.get("/tile/entries/001.p/44")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Cache-Control"] == "private, no-cache"


async def test_who_is_not_let_in_reads_hashes_but_no_entries(sqlite_url: str):
    async with serving(sqlite_url) as service:
        await fill(service, 3)
        await checkpoint_of(service, 3)
    async with serving(sqlite_url, auth="on") as service:
        assert (await service.get("/tile/0/000.p/3")).status_code == 200
        assert (await service.get("/checkpoint")).status_code == 200
        problem(await service.get("/tile/entries/000.p/3"), 401, "unauthenticated")


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/0/002.p/1",
        "tile/1/000",
        "tile/1/000.p/2",
        "tile/2/000.p/1",
        "tile/entries/001",
        "tile/entries/001.p/45",
        "tile/0/x000/000",
        "tile/0/0",
        "tile/00/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/-1/000",
        "tile/10/000",
        "tile/data/000",
        "tile/entries",
        "tile/",
        "tile",
        "tile/0/%2e%2e/0/000",
    ],
)
async def test_there_are_no_other_tiles(published: Service, path: str):
    problem(await published.get(f"/{path}"), 404, "not-found")


async def test_a_parameter_is_refused(published: Service):
    problem(await published.get("/tile/0/000?x=1"), 400, "malformed")


@pytest.mark.postgres
async def test_without_a_checkpoint_there_are_no_tiles(postgres_url: str):
    async with serving(postgres_url) as service:
        await fill(service, 2)
        problem(await service.get("/tile/0/000.p/2"), 404, "not-found")
        problem(await service.get("/checkpoint"), 404, "not-found")
