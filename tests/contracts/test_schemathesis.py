"""Thousands of requests, valid and not, made from the description alone: every answer is as described."""

import pytest

from conftest import campaign
from contracts.conftest import Schema
from contracts.generated import narrowed, operations, run, served

SIZE = max(2_000, campaign(12_000))
"""Requests at least."""

pytestmark = pytest.mark.campaign


def test_every_answer_is_as_described(sqlite_url: str, openapi: Schema):
    document = narrowed(openapi, types=campaign(30))
    with served(sqlite_url) as app:
        found = run(document, app, most=campaign(60))
    assert found.errors == []
    assert dict(found.failures) == {}
    assert found.cases >= SIZE
    named = {f"{method.upper()} {path}" for path, method, _ in operations(openapi)}
    assert {label for label, _ in found.statuses} == named
    assert found.statuses["POST /events", 201]
