"""Every good answer is shown by an example that the application gave, and an event that is given back by its type."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest

from contracts.conftest import Flaws, Schema
from registry.api import answer_examples
from registry.api.answer_examples import SHOWN, good_forms, published
from registry.api.asyncapi import recorded_example
from registry.api.openapi import describe
from registry.api.routes import route_handlers
from registry.cli.examples import examples
from registry.domain.events import EVENT_TYPES, EventCorrected, Signed
from registry.http import parameters
from registry.merkle.proof import verify_consistency, verify_inclusion
from registry.projections import listing

RECORDED = {"$ref": "#/components/schemas/RecordedEvent"}


def described_forms(document: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the JSON forms of good answers of which more is said than that they are objects."""
    for operation, status, media_type, form in good_forms(document["paths"]):
        if "json" in media_type and form["schema"] != {"type": "object"}:
            yield f"{operation} {status} {media_type}", form


def shown(operation: str, status: int = 200, media_type: str = "application/json") -> Any:
    return published()[operation][str(status)][media_type]["example"]


def test_every_good_json_answer_has_an_example(openapi: Schema):
    forms = dict(described_forms(openapi))
    assert len(forms) > 60
    assert [name for name, form in forms.items() if not any(key in form for key in SHOWN)] == []


async def test_the_examples_are_what_the_application_answers():
    for operation, statuses in (await examples()).items():
        assert published()[operation] == statuses, operation


async def test_they_are_the_same_on_any_other_day(monkeypatch: pytest.MonkeyPatch):
    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=1500)

    for module in (parameters, listing):
        monkeypatch.setattr(module, "datetime", Later)
    later = await examples()
    assert [name for name, statuses in later.items() if published()[name] != statuses] == []


def test_no_list_is_shown_empty(openapi: Schema):
    for name, form in described_forms(openapi):
        example = form.get("example")
        if isinstance(example, dict):
            assert example.get("items", example.get("events", True)), name


def test_the_proofs_that_are_shown_hold():
    proof = shown("get_inclusion")
    path = [bytes.fromhex(one) for one in proof["hashes"]]
    leaf, root = bytes.fromhex(proof["leaf_hash"]), bytes.fromhex(proof["root"])
    assert verify_inclusion(proof["leaf_index"], proof["size"], leaf, path, root)
    assert root.hex() == shown("get_log")["root"]
    later = shown("get_consistency")
    path = [bytes.fromhex(one) for one in later["hashes"]]
    old, new = bytes.fromhex(later["from_root"]), bytes.fromhex(later["to_root"])
    assert verify_consistency(later["from_size"], later["to_size"], old, new, path)
    assert shown("get_events")["events"][0] == shown("get_event", media_type="application/cloudevents+json")


def test_what_a_route_shows_by_itself_stays_and_others_show_nothing_without_examples():
    paths = describe(route_handlers, examples={})["paths"]
    forms = {name: media for name, _, media, form in good_forms(paths) if any(key in form for key in SHOWN)}
    assert {"post_retry", "post_skip", "get_metrics"} == forms.keys()


def test_where_no_description_was_installed_there_are_no_examples(monkeypatch, tmp_path):
    monkeypatch.setattr(answer_examples, "resource", lambda _: tmp_path)
    assert published.__wrapped__() == {}


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_an_event_that_is_given_back_is_told_apart_by_its_type(flaws: Flaws, name: str):
    event = recorded_example(EVENT_TYPES[name])
    assert flaws(RECORDED, event) == []
    assert flaws(RECORDED, event | {"type": "agreement.unknown.v1"})
    assert flaws(RECORDED, event | {"data": "no object"})
    assert flaws(RECORDED, {key: value for key, value in event.items() if key != "data"}) == []


def test_the_mapping_has_every_type(openapi: Schema):
    recorded = openapi["components"]["schemas"]["RecordedEvent"]
    assert set(recorded["discriminator"]["mapping"]) == set(EVENT_TYPES)
    assert [one["$ref"] for one in recorded["oneOf"]] == list(recorded["discriminator"]["mapping"].values())


def test_what_is_erased_is_still_of_its_type_also_where_it_was_corrected(flaws: Flaws):
    signed = recorded_example(Signed)
    signed["data"]["signatures"][0]["actor"]["person"]["name"] = {"$part": 1}
    assert flaws(RECORDED, signed) == []
    corrected = recorded_example(EventCorrected)
    corrected["data"]["replacement"] = signed["data"]
    assert flaws(RECORDED, corrected) == []
