"""The demo as a process, and its story."""

import json
import signal
import urllib.error
import urllib.request

from cli.posts import registered
from cli.servers import refused, serving
from registry.__main__ import main
from registry.cli import console
from registry.cli.demo import AGREEMENT, TRY
from registry.cli.exits import DONE, LOCKED, REFUSED, UNREACHABLE, USAGE


def get(url: str):
    """Ask until the read models are built, which takes a moment at the first start."""
    while True:
        try:
            with urllib.request.urlopen(url) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise


def test_the_story_is_loaded_once_and_every_url_it_offers_answers(tmp_path):
    with serving("demo", "--port", "0", "--data-dir", str(tmp_path / "data")) as demo:
        assert f"loaded the story of two reports: 71 events about {AGREEMENT}\n" in demo.said
        for _, path in TRY:
            assert get(demo.url + path)
    with serving("demo", "--port", "0", "--data-dir", str(tmp_path / "data")) as again:
        assert again.key != demo.key
        assert f"the story is loaded already: 71 events about {AGREEMENT}\n" in again.said
        assert json.loads(get(f"{again.url}/log"))["size"] == 71
        invitation = again.end(signal.SIGINT)
        assert all(again.url + path in invitation for _, path in TRY)


def test_a_second_demo_on_the_same_data_says_where_the_first_is(tmp_path):
    with serving("demo", "--port", "0", "--data-dir", str(tmp_path)) as demo:
        code, said = refused("demo", "--port", "0", "--data-dir", str(tmp_path))
    assert code == LOCKED
    assert demo.url in said


def test_settings_of_the_environment_do_not_open_the_demo_to_others(tmp_path):
    with serving("demo", "--port", "0", "--data-dir", str(tmp_path), host="0.0.0.0", auth="on") as demo:
        assert demo.url.startswith("http://127.0.0.1:")
        assert get(f"{demo.url}/events?limit=1")


def test_the_demo_is_posted_to_with_the_key_that_it_shows_last(registry, file_of, tmp_path, monkeypatch):
    path = file_of([registered("of-the-visitor")])
    with serving("demo", "--port", "0", "--data-dir", str(tmp_path)) as demo:
        assert registry("append", path, "--url", demo.url).code == UNREACHABLE
        monkeypatch.setenv("REGISTRY_API_KEY", demo.key)
        assert registry("append", path, "--url", demo.url).code == DONE
    with serving("demo", "--port", "0", "--data-dir", str(tmp_path)) as again:
        assert registry("append", path, "--url", again.url).code == UNREACHABLE


def test_a_directory_that_cannot_be_made(registry, tmp_path):
    (tmp_path / "file").touch()
    ran = registry("demo", "--data-dir", tmp_path / "file" / "data")
    assert (ran.code, "cannot make" in ran.err) == (USAGE, True)


def test_a_database_that_tells_another_story_is_said(registry, file_of, tmp_path):
    database = f"sqlite:///{tmp_path}/registry.db"
    registry("migrate", "--database", database)
    registry("append", file_of([registered(AGREEMENT, "/another")]), "--database", database)
    ran = registry("demo", "--port", "0", "--data-dir", tmp_path)
    assert ran.code == REFUSED
    assert "tells another one" in ran.err


def test_it_serves_in_this_process(tmp_path, monkeypatch):
    said: list[str] = []

    def note(text: str) -> None:
        said.append(text)
        if "or on the command line" in text:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(console, "note", note)
    assert main(["demo", "--port", "0", "--data-dir", str(tmp_path)]) == DONE
    assert said[-1] == "stopped"
