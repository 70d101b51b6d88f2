"""A registry moves from SQLite to PostgreSQL and back: the same answers, and it goes on."""

import re
import time
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import httpx
import pytest

from campaigns.service_process import free_port
from cli.conftest import Registry
from cli.posts import registered
from cli.servers import Server, serving
from registry.audit.keys import make_key
from registry.cli.exits import DONE, LOCKED, REFUSED, UNREACHABLE, USAGE

ORIGIN = "registry.test/moving"
JSON = {"Content-Type": "application/cloudevents+json"}
OF_THE_PROCESS = ("/healthz", "/readyz", "/livez", "/metrics", "/projections", "/keys", "/access")
"""What a process says of itself and its own tables; everything else is the log's, wherever it lies."""
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""
NOT_COMPARED = ("date", "content-length", "x-request-id", "set-cookie")


def wait_until_ready(server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        while client.get("/readyz").status_code != httpx.codes.OK:
            time.sleep(0.05)
        head = client.get("/log").json()["size"]
        asked = client.get("/agreements", params={"min_position": str(head)}, headers={"Prefer": "wait=30"})
        assert asked.status_code == httpx.codes.OK
        while int(client.get("/checkpoint").text.split("\n")[1]) < head:
            time.sleep(0.05)


def paths(client: httpx.Client) -> Iterator[str]:
    """Every path that can be read, by what the registry says of itself, with the ids of the story in it."""
    agreements = [each["id"] for each in client.get("/agreements").json()["items"]]
    given = {"agreement": agreements[0], "agreement_id": agreements[0], "position": "7", "level": "0"}
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        if "get" not in operations or path.startswith(OF_THE_PROCESS):
            continue
        names = re.findall(r"{(\w+)}", path)
        yield re.sub(r"{(\w+)}", lambda name: given.get(name[1], "none"), path) if names else path
    for position in range(1, client.get("/log").json()["size"] + 1, 5):
        yield f"/events/{position}"
        yield f"/log/proof/inclusion?position={position}"
    for agreement in agreements:
        for known in range(0, 72, 10):
            yield f"/agreements/{agreement}?known_as_of={known or 1}&valid_as_of=2026-01-01"


def answers(server: Server) -> dict[str, Answer]:
    found = {}
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for path in paths(client):
            answer = client.get(path, headers={"X-Request-Id": "the-same"})
            headers = {name: value for name, value in answer.headers.items() if name not in NOT_COMPARED}
            content = re.sub(rb'"request_id":"[^"]*"', b"", answer.content)
            found[path] = (answer.status_code, headers, content)
    return found


def differences(path: str, before: Answer, now: Answer) -> list[str]:
    """Say in which headers and lines an answer differs."""
    if before == now:
        return []
    told = [f"{path}: {before[0]} {dict(before[1])} {now[0]} {dict(now[1])}"]
    lines = zip_longest(before[2].splitlines(), now[2].splitlines())
    return told + [f"{path}: {one!r} {other!r}" for one, other in lines if one != other]


@pytest.fixture
def key(told_url: str, registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The key of the log, moved by hand to wherever it is served."""
    assert registry("log", "key", "--new", tmp_path / "log.key").code == DONE
    monkeypatch.setenv("REGISTRY_LOG_KEY_FILE", str(tmp_path / "log.key"))
    return str(tmp_path / "log.key")


@pytest.fixture
def exported(told_url: str, key: str, registry: Registry, tmp_path: Path) -> Path:
    """The story, signed under a name of its own without being served, and exported."""
    assert registry("log", "new-origin", ORIGIN, "--database", told_url).code == DONE
    assert registry("export", "--output", tmp_path / "bundle", "--database", told_url).code == DONE
    return tmp_path / "bundle"


@pytest.mark.postgres
def test_there_and_back_again_it_gives_the_same_answers(
    registry: Registry, told_url: str, key: str, exported: Path, postgres_url: str
):
    tmp_path = exported.parent
    back = f"sqlite:///{tmp_path}/back.db"
    root = registry("verify", "--database", told_url).out.splitlines()[1]
    before = compared = None
    port = str(free_port())  # one for all, as answers name the place at which they were asked for
    bundle = exported
    for url in (told_url, postgres_url, back):
        if url == back:
            assert registry("migrate", "--database", url).code == DONE
        if url != told_url:
            ran = registry("import", bundle, "--database", url)
            assert (ran.code, ran.out.splitlines()[1]) == (DONE, root), ran.err
            assert "only one of them may take events from now on" in ran.err
        with serving("serve", "--port", port, database=url, auth="off", log_key_file=key) as server:
            wait_until_ready(server)
            compared = answers(server)
        before = before or compared
        assert compared.keys() == before.keys()
        assert [line for path in before for line in differences(path, before[path], compared[path])] == []
        bundle = tmp_path / f"bundle-of-{url.partition(':')[0]}"
        if url != told_url:
            assert registry("export", "--output", bundle, "--database", url).code == DONE
            for path in exported.iterdir():
                assert (bundle / path.name).read_bytes() == path.read_bytes(), path.name
        else:
            bundle = exported
    assert sum(status == 200 for status, _, _ in compared.values()) > 60
    with serving("serve", "--port", port, database=back, auth="off", log_key_file=key) as server:
        answer = httpx.post(f"{server.url}/events", json=registered("aaa-bbb-one"), headers=JSON)
        assert (answer.status_code, answer.json()["position"]) == (201, 72)
    assert registry("verify", "--database", back).out.startswith(f"{ORIGIN} holds: 72 events")


def test_a_key_that_is_given_has_to_have_signed(
    registry: Registry, sqlite_url: str, exported: Path, tmp_path: Path
):
    new = f"sqlite:///{tmp_path}/new.db"
    assert registry("migrate", "--database", new).code == DONE
    stranger = make_key(tmp_path / "stranger").verifier_key(ORIGIN)
    ran = registry("import", exported, "--key", stranger, "--database", new)
    assert (ran.code, ran.err) == (
        REFUSED,
        "registry: checkpoint: no key that is known has signed the note\n",
    )
    ran = registry("import", exported, "--key", "none", "--database", new)
    assert (ran.code, ran.err.startswith("registry: --key: ")) == (USAGE, True)
    ran = registry("import", exported, "--database", new)
    assert (ran.code, ran.out.splitlines()[0].endswith("1 signatures hold")) == (DONE, True)


def test_only_an_empty_database_takes_it(registry: Registry, told_url: str, exported: Path, tmp_path: Path):
    ran = registry("import", exported, "--database", told_url)
    assert ran.code == REFUSED
    assert "the database is not empty" in ran.err
    ran = registry("import", exported, "--database", f"sqlite:///{tmp_path}/none.db")
    assert ran.code == UNREACHABLE
    new = f"sqlite:///{tmp_path}/new.db"
    with serving("serve", "--port", "0", database=new, auth="off"):
        assert registry("import", exported, "--database", new).code == LOCKED


def test_behind_a_kept_checkpoint_it_is_read_only(
    registry: Registry, told_url: str, key: str, exported: Path, monkeypatch: pytest.MonkeyPatch
):
    tmp_path = exported.parent
    with serving("serve", "--port", "0", database=told_url, auth="off", log_key_file=key) as server:
        httpx.post(f"{server.url}/events", json=registered("aaa-bbb-one"), headers=JSON).raise_for_status()
    monkeypatch.setenv("REGISTRY_CHECKPOINT_FILE", f"{told_url.removeprefix('sqlite:///')}.checkpoint")
    new = f"sqlite:///{tmp_path}/new.db"
    assert registry("migrate", "--database", new).code == DONE
    ran = registry("import", exported, "--database", new)
    assert ran.code == REFUSED
    assert "READ-ONLY: the kept checkpoint is of 72 events, and there are 71" in ran.err
    assert registry("verify", "--database", new).code == DONE
