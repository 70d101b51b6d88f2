"""What the pages that act answer when the registry cannot do what is asked."""

from types import SimpleNamespace
from typing import Any

import pytest

from api.conftest import serving
from registry.errors import Unavailable
from ui.test_compose import filled

HERE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


async def test_an_event_that_cannot_be_taken_now_is_kept_in_the_page(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    def closed(*_: Any, **__: Any) -> None:
        raise Unavailable("the service is stopping")

    async with serving(sqlite_url) as service:
        monkeypatch.setattr(service.app.state.sequencer, "prepare", closed)
        for act in ("preview", "post"):
            answer = await service.client.post("/post", data={**filled("kept"), "do": act}, headers=HERE)
            assert answer.status_code == 503
            assert "The registry cannot take it now" in answer.text
            assert 'name="/data/parties/1/name/0/text" value="El Salvador"' in answer.text


async def test_a_log_that_does_not_stand_where_it_was_seen_is_told_first(sqlite_url: str):
    async with serving(sqlite_url) as service:
        sequencer = service.app.state.sequencer
        service.app.state.sequencer = SimpleNamespace(read_only="the log is behind", queued=0)
        shown = (await service.get("/operate", headers=HERE)).text
        service.app.state.sequencer = sequencer
    assert "Nothing is appended now." in shown
    assert "the log is behind" in shown


async def test_a_rebuild_that_fails_is_not_told_as_done(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    def gone(name: str) -> int:
        raise Unavailable(name)

    async with serving(sqlite_url) as service:
        monkeypatch.setattr(service.app.state.operator, "rebuild", gone)
        form = HERE | {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await service.client.post("/operate/projections/facts/rebuild", headers=form)
        assert answer.headers["Location"] == "/operate?done=rebuilding&about=facts"
