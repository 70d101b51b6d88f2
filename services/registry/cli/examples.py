"""Examples for the description of the API: what the application says of the demo story, the same in every run.

A shortened story is recorded at fixed times with fixed salts; then each operation is asked as its own description
shows. What the running service has of its clock or of chance is replaced.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256, shake_256
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import msgspec

from registry.cli.database import writer_engine
from registry.cli.demo import STORY
from registry.cli.migrate import migrated
from registry.cli.serve import application
from registry.config import Settings
from registry.domain import cloudevents, strict_json
from registry.domain.codec import split
from registry.domain.envelope import Posted
from registry.domain.events import FollowUpScheduled
from registry.store.group import Request
from registry.store.receipt import Receipt
from registry.store.states import States
from registry.store.writer import Writer

Json = dict[str, Any]

ORIGIN = "registry.example"
RECORDED = (1_752_831_000_000_000, 1_753_002_000_000_000)
"""When each report of the story is recorded: 2025-07-18T09:30:00Z and 2025-07-20T09:00:00Z."""
POSTER = "5b1d4f0e-8f0c-4c39-9d0a-6f2f6f3d9a11"
"""The principal who posted the story."""
ASKED = {"limit": "1", "valid_as_of": "2025-07-20", "position": "1"}
"""Query parameters that need not be given, and are wherever there are such: answers are short, and of one day."""
SOMEBODY, SAID = "A. Person", "We look forward to it."
LINES = "application/x-ndjson"
CREATED = "2025-07-20T09:00:00Z"
KEY_ID = "5f0c1d7e9a3b2468"
CHANCE = {
    "recorded_at": "2025-07-20T09:00:00.000000Z",
    "leaf_hash": sha256(b"").hexdigest(),
    "created": CREATED,
    "revoked": CREATED,
    "key": f"agr_{KEY_ID}_{'0' * 49}",
}
"""What stands for the clock and for chance in answers to what is done while the service runs."""


class Asking:
    """A service, what it says of itself, and what it has answered so far."""

    def __init__(self, client: httpx.AsyncClient, document: Json) -> None:
        self._client = client
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        self.found: dict[str, dict[str, dict[str, Json]]] = {}

    def keep(self, name: str, status: int, media_type: str, shown: Json) -> None:
        """Keep what a form of an answer is to show."""
        self.found.setdefault(name, {}).setdefault(str(status), {})[media_type] = shown

    async def ask(self, name: str, media_type: str = "*/*", **given: Any) -> httpx.Response:
        """Do what an operation does, with what its description shows; ``given`` goes before that, or beside it."""
        method, path, operation = self.operations[name]
        parameters = {(one["in"], one["name"]): one for one in operation["parameters"]}

        def value(match: re.Match[str]) -> str:
            return str(given.get(match[1], parameters["path", match[1]]["example"]))

        query = {
            name: ASKED.get(name, one.get("example"))
            for (where, name), one in parameters.items()
            if where == "query" and (one["required"] or name in ASKED)
        }
        if "from" in query:
            query.pop("valid_as_of", None)  # it names days itself
        if media_type == LINES:
            query.pop("limit")  # lines are the whole list
        query |= {name: given[name] for name in ("min_position", "dry_run") if name in given}
        headers = {"Accept": media_type, "Prefer": "wait=30"}
        if "requestBody" in operation:
            headers["Content-Type"] = given.get("sent", "application/json")
        answer = await self._client.request(
            method, re.sub(r"\{(\w+)\}", value, path), params=query, headers=headers, json=given.get("body")
        )
        return answer.raise_for_status()

    async def do(self, name: str, **given: Any) -> Any:
        """Do what changes something, and keep the answer."""
        answer = await self.ask(name, **given)
        shown = _without_chance(answer.json())
        self.keep(name, answer.status_code, "application/json", {"example": shown})
        return answer.json()


async def examples() -> dict[str, Any]:
    """Give what every good JSON answer shows, by operation, status and media type."""
    with unheard(), TemporaryDirectory(prefix="registry-") as directory:
        settings = Settings(
            database=f"sqlite:///{Path(directory) / 'registry.db'}",
            origin=ORIGIN,
            auth="off",
            access_lines=False,
        )
        migrated(settings)
        events, receipts = record(settings)
        service = application(settings)
        transport = httpx.ASGITransport(service)
        async with (
            service.app.lifespan(),
            httpx.AsyncClient(transport=transport, base_url="http://registry") as client,
        ):
            asking = Asking(client, (await client.get("/openapi.json")).raise_for_status().json())
            await read(asking, len(events))
            await post(asking, events, receipts)
            await operate(asking)
            await erase(asking)
            return asking.found


@contextmanager
def unheard() -> Iterator[None]:
    """Let the service go about its work without telling of it: whoever runs the command asked for no service."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def record(settings: Settings) -> tuple[list[Json], list[Receipt]]:
    """Record the first event of each type that each report has, and what none has; returns events and receipts."""
    numbers = count()

    def salts(length: int) -> bytes:
        return shake_256(str(next(numbers)).encode()).digest(length)

    events: list[Json] = []
    receipts: list[Receipt] = []
    with writer_engine(settings) as engine:
        for report, at in zip(STORY, RECORDED, strict=True):
            first: dict[str, Json] = {}
            for line in report.read_bytes().splitlines():
                event = unnamed(strict_json.decode(line))
                first.setdefault(event["type"], event)
            if report is STORY[-1]:
                first[FollowUpScheduled.type] = {
                    **event,
                    "id": "follow-up",
                    "type": FollowUpScheduled.type,
                    "data": FollowUpScheduled.examples[0],
                }
            posted = [cloudevents.posted(event) for event in first.values()]
            writer = Writer(engine, States(len(posted)), clock=partial(int, at), random=salts)
            (outcome,) = writer.commit([Request(posted, [_parts(one) for one in posted])])
            if isinstance(outcome, Exception):
                raise outcome
            events += first.values()
            receipts += outcome
    return events, receipts


def unnamed(told: Any) -> Any:
    """Leave out how persons are called and what they said: a published description cannot be erased."""
    if isinstance(told, list):
        return [unnamed(each) for each in told]
    if not isinstance(told, dict):
        return told
    kept = {name: unnamed(value) for name, value in told.items()}
    if "person_id" in told and "name" in told:
        kept["name"] = SOMEBODY
    if "person" in told.get("speaker", ()):
        kept["gist"] = {"en": SAID}
    return kept


def _parts(posted: Posted) -> tuple[bytes, ...]:
    return split(posted.type, posted.body, posted.attrs, POSTER)


async def read(asking: Asking, position: int) -> None:
    """Ask everything that is read. What follows the log is waited for first, as others tell how far it has come."""
    reads = [(name, of) for name, (method, _, of) in asking.operations.items() if method == "get"]
    for name, of in reads:
        if any(one["name"] == "min_position" for one in of["parameters"]):
            await asking.ask(name, min_position=position)
    for name, of in reads:
        for media_type, form in of["responses"]["200"].get("content", {}).items():
            # An answer of which no more is said than that it is an object is described by a standard of its own.
            if "json" in media_type and form["schema"] != {"type": "object"} and name != "get_api_keys":
                answer = await asking.ask(name, media_type)
                shown = msgspec.json.decode(answer.content.partition(b"\n")[0])  # of lines the first one
                asking.keep(name, 200, media_type, {"example": shown})


async def post(asking: Asking, events: list[Json], receipts: list[Receipt]) -> None:
    """Keep the receipts of the story, and ask for others that depend on no clock."""
    first, second = msgspec.json.decode(msgspec.json.encode(receipts[:2]))
    asking.keep(
        "post_events",
        201,
        "application/json",
        {"examples": {"one": {"value": first}, "batch": {"value": [first, second]}}},
    )
    sent = "application/cloudevents+json"
    replayed = await asking.ask("post_events", sent=sent, body=events[0])
    tried = await asking.ask("post_events", sent=sent, body={**events[1], "id": "tried"}, dry_run="true")
    asking.keep(
        "post_events",
        200,
        "application/json",
        {"examples": {"replay": {"value": replayed.json()}, "dry run": {"value": tried.json()}}},
    )


async def operate(asking: Asking) -> None:
    """Do what operators do: keys, read models, exports."""
    wanted = {"label": "Gazette import", "scopes": ["events:write"], "sources": ["https://gazette.example/"]}
    made = await asking.do("post_api_key", body=wanted)
    await asking.do("get_api_keys")
    await asking.do("delete_api_key", id=made["made"]["id"])
    for name in ("post_check", "post_rebuild", "post_export"):
        await asking.do(name)


async def erase(asking: Asking) -> None:
    """Erase what one event says of persons, and then what is left of one of them: each for the first time and again."""
    for name in ("post_event_erasures", "post_person_erasures"):
        for _ in range(2):
            erased = await asking.do(name, body={"legal_basis": "GDPR 17(1)(b)"})
        late = {**_without_chance(erased), "cleared": False, "behind": ["parties"]}
        asking.keep(name, 202, "application/json", {"example": late})


def _without_chance(answer: Any) -> Any:
    """Replace what differs from one run to the next."""
    if isinstance(answer, list):
        return [_without_chance(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    replaced = CHANCE | ({"id": KEY_ID} if "label" in answer else {})
    return {
        name: _without_chance(value) if value is None or name not in replaced else replaced[name]
        for name, value in answer.items()
    }
