"""The lane in front of the framework."""

from typing import Any

import pytest

from registry.api.lane import Passing


async def nothing(*_: Any) -> Any:
    raise AssertionError


@pytest.fixture
def passing() -> Passing:
    scope = {"type": "http", "method": "GET", "path": "/agreements/a-1", "query_string": b"", "state": {}}
    return Passing({**scope, "headers": [(b"cookie", b"lang=fr")]}, nothing, nothing)


def test_a_request_in_the_lane_has_what_the_framework_keeps_of_one_once_it_is_asked_for(passing: Passing):
    assert passing.cookies == {"lang": "fr"}
    assert passing.headers["cookie"] == "lang=fr"
    assert passing.method == "GET"


def test_what_no_request_has_a_request_in_the_lane_has_not_either(passing: Passing):
    with pytest.raises(AttributeError, match="unheard_of"):
        passing.unheard_of  # noqa: B018 - looking is what is tested
