"""Requests made from the description of the API alone, sent to a whole service, and what is wrong with the answers."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import msgspec
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.python import asgi

from contracts.conftest import Schema
from registry.api.example_events import EXAMPLE, posted_examples
from registry.api.lane import Lane
from registry.app import create_service
from registry.config import Settings

CORRECTED = "agreement.event-corrected.v1"
"""Its schema depends on the type of its target, which the generator does not take."""
LAST_WORDS = {"agreement.agreement-retracted.v1", "agreement.event-retracted.v1"}
"""After these, nothing more is taken."""
FIRST = ("agreement.title-given.v1", "agreement.statement-recorded.v1", "agreement.registered.v1")
"""Of these most that fits the schema is taken; and what founds an agreement."""
CHECKS = {
    # A schema says nothing of two parameters that exclude each other, of days that no calendar has, of an agreement
    # that has another version: a request that fits it may be refused, with a problem that is described.
    "positive_data_acceptance": {"enabled": False},
    # Everything may be done by everybody here, so that more is reached; who may do what is walked elsewhere.
    "ignored_auth": {"enabled": False},
    # Asked to have seen a position that has not been reached, the answer is a 504, as described.
    "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "504"]},
}


class Found(msgspec.Struct):
    """What came of it."""

    statuses: Counter[tuple[str, int]] = msgspec.field(default_factory=Counter)
    """How often an operation answered with a status."""
    failures: dict[str, list[str]] = msgspec.field(default_factory=lambda: defaultdict(list))
    """What is wrong with answers, by check and operation, with the request of each."""
    errors: list[str] = msgspec.field(default_factory=list)
    """What kept the generator from its work."""

    @property
    def cases(self) -> int:
        """Requests that were sent."""
        return self.statuses.total()


def narrowed(document: Schema, types: int) -> Schema:
    """Make a description of which more requests get further than to the first thing that is wrong with them.

    Only so many event types are posted, and no examples, which are recorded already. They are about the agreement that is there, or about one more,
    and say nothing beside.
    No version is expected: two headers that contradict each other are refused before anything else is looked at.
    Nobody waits for a position: that takes seconds, and is tried elsewhere.
    """
    document = deepcopy(document)
    for path, method, operation in operations(document):
        left_out = {"Prefer"} if method == "get" else {"If-Match", "If-None-Match"}
        operation["parameters"] = [one for one in operation["parameters"] if one["name"] not in left_out]
        if path == "/events":
            for form in operation.get("requestBody", {}).get("content", {}).values():
                form.pop("example", None)
                form.pop("examples", None)
    posted = document["components"]["schemas"]["PostedEvent"]
    names = [*FIRST, *(name for name in posted_examples() if name not in {*FIRST, CORRECTED})][:types]
    posted["discriminator"]["mapping"] = {name: posted["discriminator"]["mapping"][name] for name in names}
    envelope = document["components"]["schemas"]["PostedEnvelope"]["properties"]
    for name in ("dataschema", "expectedversion"):
        del envelope[name]
    envelope["subject"] = {"enum": [EXAMPLE, "pak-slv-one-more"]}
    envelope["source"] = {"enum": ["https://report-c.example/", "/office"]}
    document["components"]["schemas"]["PostedEnvelope"]["additionalProperties"] = False
    posted["oneOf"] = [{"$ref": ref} for ref in posted["discriminator"]["mapping"].values()]
    for name in names:
        del document["components"]["schemas"][f"event.{name}"]["properties"]["dataschema"]
    return document


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Yield the path, the method and the description of every operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


@contextmanager
def served(url: str) -> Iterator[Lane]:
    """Serve a database that knows an event of every type, as far as these go together."""
    app = create_service(Settings(database=url, auth="off"))
    try:
        with asgi.get_client(app) as client:
            position = 0
            for name, event in posted_examples().items():
                if name in LAST_WORDS:
                    continue
                headers = {"Content-Type": "application/cloudevents+json"}
                answer = client.post(
                    "http://testserver/events", data=msgspec.json.encode(event), headers=headers
                )
                assert answer.status_code in {201, 409}, answer.text
                position = answer.json().get("position", position)
            path = f"http://testserver/agreements?min_position={position}"
            answer = client.get(path, headers={"Prefer": "wait=30"})
            assert answer.status_code == 200, answer.text
        yield app
    finally:
        asgi.shutdown_lifespans()


def run(document: Schema, app: Lane, most: int) -> Found:
    """Send what all phases of the generator make of a description, of each operation at most so much at random."""
    config = {
        "seed": 1,
        "continue-on-failure": True,
        "checks": CHECKS,
        "generation": {"deterministic": True, "database": "none", "max-examples": most},
        # Most of what may be said is said in one place.
        "operations": [{"include-name": "POST /events", "generation": {"max-examples": 20 * most}}],
        "phases": {"stateful": {"max-steps": 4}},
    }
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(config))
    schema.app = app
    found = Found()
    for event in from_schema(schema).execute():
        if isinstance(event, (events.NonFatalError, events.FatalError)):
            found.errors.append(str(getattr(event, "value", None) or event))
        elif isinstance(event, events.ScenarioFinished):
            _collect(found, event.recorder)
    return found


def _collect(found: Found, recorder: Any) -> None:
    for case_id, interaction in recorder.interactions.items():
        case = recorder.cases[case_id].value
        if interaction.response is not None:
            found.statuses[case.operation.label, interaction.response.status_code] += 1
        for check in recorder.checks.get(case_id, ()):
            if check.failure_info is not None:
                failure = check.failure_info.failure
                request = interaction.request
                body = (request.body or b"")[:300].decode("latin-1")
                said = f"{request.method} {request.uri} {body}: {failure.title}: {failure.message}"
                found.failures[f"{check.name}, {case.operation.label}"].append(said)
