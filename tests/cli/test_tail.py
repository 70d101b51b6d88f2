"""The log from the command line."""

import subprocess
import sys

import pytest

from cli.posts import registered
from registry.cli import feed
from registry.cli.exits import DONE, INTERRUPTED, USAGE


def positions(ran) -> list[int]:
    return [int(event["sequence"]) for event in ran.lines]


def test_the_last_ten_events_are_shown(registry, told_url):
    ran = registry("tail", "--database", told_url)
    assert (ran.code, ran.err) == (DONE, "")
    assert positions(ran) == list(range(62, 72))


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (("-n", "2"), [70, 71]),
        (("-n", "0"), []),
        (("-n", "500"), list(range(1, 72))),
        (("--after", "69"), [70, 71]),
        (("--after", "0"), list(range(1, 72))),
        (("--after", "1000"), []),
        (("--type", "registered"), [1, 30]),
        (("--type", "agreement.signed.v1", "--type", "classified"), [32, 33]),
        (("--type", "fact-recorded", "-n", "3"), [69, 70, 71]),
        (("--type", "registered", "--after", "1"), [30]),
        (("--agreement", "pak-slv-2025-digital-assets", "-n", "1"), [71]),
        (("--agreement", "unknown"), []),
    ],
)
def test_what_is_asked_for_is_shown(registry, told_url, options, shown):
    assert positions(registry("tail", "--database", told_url, *options)) == shown


def test_pages_follow_each_other_without_a_gap(registry, told_url, monkeypatch):
    monkeypatch.setattr(feed, "PAGE", 7)
    assert positions(registry("tail", "--database", told_url, "--after", "0")) == list(range(1, 72))
    assert positions(
        registry("tail", "--database", told_url, "--type", "registered", "--type", "signed")
    ) == [1, 30, 33]


def test_it_works_on_both_databases(registry, file_of, database_url):
    registry("append", file_of([registered("one"), registered("two")]), "--database", database_url)
    assert [event["subject"] for event in registry("tail", "--database", database_url).lines] == [
        "one",
        "two",
    ]


def test_following_shows_what_is_recorded_later(registry, file_of, told_url, monkeypatch):
    waits = 0

    def sleep(seconds):
        nonlocal waits
        waits += 1
        if waits == 3:
            raise KeyboardInterrupt
        registry_append(waits)

    def registry_append(number: int) -> None:
        path = file_of([registered(f"number-{number}")])
        done = subprocess.run(
            [sys.executable, "-m", "registry", "append", str(path), "--database", told_url],
            check=False,
            capture_output=True,
        )
        assert done.returncode == DONE

    monkeypatch.setattr("time.sleep", sleep)
    ran = registry("tail", "-f", "-n", "1", "--database", told_url)
    assert ran.code == INTERRUPTED
    assert [event["subject"] for event in ran.lines[1:]] == ["number-1", "number-2"]


def test_between_two_looks_at_the_database_is_a_moment(registry, told_url, monkeypatch):
    waits: list[float] = []

    def sleep(seconds):
        waits.append(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    assert registry("tail", "-f", "--database", told_url).code == INTERRUPTED
    assert waits == [feed.POLL]


def test_a_person_gets_a_line_each(registry, told_url, monkeypatch):
    monkeypatch.setattr("registry.cli.console.on_terminal", lambda _: True)
    monkeypatch.setenv("NO_COLOR", "1")
    first, second = registry("tail", "--database", told_url, "--type", "registered").out.splitlines()
    assert first.startswith("       1  20")
    assert first.endswith(
        "  registered              pak-slv-2025-digital-assets  https://openvoicenews.example/ registered"
    )
    assert "https://report-b.example/" in second


def test_a_person_may_ask_for_json(registry, told_url, monkeypatch):
    monkeypatch.setattr("registry.cli.console.on_terminal", lambda _: True)
    assert positions(registry("tail", "--database", told_url, "-n", "1", "--json")) == [71]


@pytest.mark.parametrize("text", ["-1", "x", "1.0", "\u0661", "9" * 16])
def test_a_position_is_a_whole_number(registry, told_url, text):
    ran = registry("tail", "--database", told_url, "--after", text)
    assert ran.code == USAGE
    assert "no whole number" in ran.err or "expected one argument" in ran.err


def test_a_pipe_that_is_closed_ends_it_quietly(told_url):
    command = f"{sys.executable} -m registry tail --after 0 --database {told_url} | true"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stderr) == (DONE, "")
