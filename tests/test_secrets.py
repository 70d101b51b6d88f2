"""No secret appears in a log, an answer, an error or what commands print."""

import logging
import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.conftest import planned, registered
from api.guarded import bearer, guarding
from cli.servers import serving
from issuing import AUDIENCE, issuing, unsigned
from registry.__main__ import main
from registry.access import ADMIN, EVENTS_READ, EVENTS_WRITE, SCOPES
from registry.api import events
from registry.http.sessions import PLAIN
from registry.store.api_keys import KeyRequest, create
from registry.store.database import open_writer

PASSWORD = "hunter2-of-the-database"


Registry = Callable[..., str]


@pytest.fixture
def registry(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Run a command in this process, and give what it prints on both streams."""
    for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        main(arguments)
        return "".join(capsys.readouterr())

    return run


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """What the service has logged; the client of the tests logs the URLs that it asks for itself."""
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    return "\n".join(caplog.handler.format(record) for record in ours)


def parts_of(secret: str) -> set[str]:
    """What of a secret must not be seen: the whole, and each long piece of it."""
    return {secret, *(piece for piece in secret.replace("_", ".").split(".") if len(piece) > 20)}


def leaks(secrets: set[str], *texts: str) -> list[str]:
    return [secret for secret in secrets if any(secret in text for text in texts)]


def told(response: httpx.Response) -> str:
    return f"{response.status_code} {response.headers} {response.text}"


async def test_nothing_that_is_shown_to_the_service_is_logged_or_given_back(
    sqlite_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with issuing() as provider, caplog.at_level(logging.DEBUG):
        settings = {"oidc_issuer": provider.url, "oidc_audience": AUDIENCE}
        async with guarding(sqlite_url, **settings) as service:
            key = service.key(*SCOPES)
            cookie = await service.app.state.sessions.begin(key)
            token = provider.token(scope=EVENTS_READ)
            shown = {
                key: bearer(key),
                "forged": bearer(key[:-1] + ("x" if key[-1] != "x" else "y")),
                token: bearer(token),
                "expired": bearer(provider.token(exp=1)),
                "unsigned": bearer(unsigned(token)),
                cookie: {"Cookie": f"{PLAIN}={cookie}"},
                "basic": {"Authorization": "Basic c2VjcmV0OnNlY3JldC1vZi1zb21lYm9keQ=="},
                "password": {"Authorization": f"Basic {b64encode(f'me:{key}'.encode()).decode()}"},
            }
            secrets = set[str]()
            answers = []
            for headers in shown.values():
                secrets |= parts_of(next(iter(headers.values())).rpartition(" ")[2].removeprefix(f"{PLAIN}="))
                for method, path in (
                    ("GET", "/events"),
                    ("POST", "/events"),
                    ("GET", "/keys"),
                    ("GET", "/feed.atom"),
                    ("GET", "/x"),
                ):
                    answers.append(told(await service.client.request(method, path, headers=headers)))
            answers.append(told(await service.post(registered(), **bearer(key))))
            answers.append(told(await service.batch(planned("a"), planned("b"), **bearer(key))))
            answers.append(told(await service.get(f"/events?key={key}", headers=bearer(key))))

            def broken(*_: Any) -> None:
                raise RuntimeError("broken")

            monkeypatch.setattr(events, "_page", broken)
            answers.append(told(await service.get("/events", headers=bearer(key))))
    assert "broken" in logged(caplog)
    assert leaks(secrets, logged(caplog), *answers) == []


async def test_a_new_key_is_shown_once_and_logged_never(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with guarding(sqlite_url) as service:
            admin = service.holder(ADMIN)
            wanted = {"label": "x", "scopes": [EVENTS_WRITE]}
            key = (await service.client.post("/keys", json=wanted, headers=admin)).json()["key"]
            later = told(await service.get("/keys", headers=admin))
    assert leaks(parts_of(key), logged(caplog), later) == []


def test_nothing_that_a_server_has_is_said_by_it_or_by_commands(
    sqlite_url: str, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_writer(sqlite_url)
    _, key = create(engine, KeyRequest(label="operator", scopes=tuple(SCOPES)))
    engine.dispose()
    settings = {"auth": "on", "access_lines": "true", "log_level": "debug"}
    with serving("serve", "--port", "0", "--database", sqlite_url, **settings) as server:
        for header in (bearer(key), bearer(key[:-1]), {"Authorization": f"Basic {key}"}):
            httpx.get(f"{server.url}/events", headers=header)
            httpx.get(f"{server.url}/events?limit={key}", headers=header)
            httpx.get(f"{server.url}/nothing/{key}", headers=header)
        measured = httpx.get(f"{server.url}/metrics", headers=bearer(key)).text
        here = ("--database", sqlite_url)
        monkeypatch.setenv("REGISTRY_API_KEY", key)
        ran = [
            registry(*command, *here)
            for command in (("config",), ("config", "--json"), ("doctor",), ("keys", "list"), ("verify",))
        ]
        monkeypatch.setenv("REGISTRY_API_KEY", key[:-1] + "!")
        ran.append(registry("tail", "-n", "1", "--url", server.url))
        said = server.said + server.end()
    assert said.count(" GET ") == 11
    assert "operator" not in said
    assert "registry_http_requests_total" in measured
    said += measured
    (key_file,) = [path for path in tmp_path.iterdir() if "key" in path.name]
    secrets = parts_of(key) | {line for line in key_file.read_text().split() if len(line) > 20}
    assert len(secrets) >= 3
    assert leaks(secrets, said, *ran) == []


@pytest.mark.parametrize(
    "command", [("serve", "--port", "0"), ("migrate",), ("doctor",), ("verify",), ("keys", "list")]
)
@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://registry:{PASSWORD}@127.0.0.1:1/registry",
        f"postgresql://127.0.0.1:1/registry?user=registry&password={PASSWORD}",
    ],
)
def test_the_password_of_the_database_is_not_said_when_it_cannot_be_reached(
    command: tuple[str, ...], url: str, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE", url)
    monkeypatch.setenv("REGISTRY_LOCK_TIMEOUT", "1")
    assert leaks({PASSWORD}, registry(*command)) == []


def test_the_settings_are_printed_without_the_password(registry: Registry) -> None:
    url = f"postgresql://registry:{PASSWORD}@db.example/registry"
    assert PASSWORD not in registry("config", "--database", url)
    assert PASSWORD not in registry("config", "--json", "--database", url)
