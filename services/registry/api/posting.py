"""POST /events: one event or many, in each of the three modes of the CloudEvents HTTP binding."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.api.example_events import batch_example, posted_example, posted_examples
from registry.config import Settings
from registry.domain import cloudevents, strict_json
from registry.domain.envelope import Posted
from registry.domain.events import Registered
from registry.domain.strict_json import MAX_FLAWS
from registry.errors import Flaw, Invalid, Refusal, RegistryError, TooLarge
from registry.http.answer import JSON, Answer, Asked
from registry.http.appending import append, foresee
from registry.http.body import announced, read_body
from registry.http.parameters import BadHeader, flag, query
from registry.http.principal import principal_of
from registry.http.problems import InBatch, UnsupportedMediaType, describe
from registry.http.refusals import note_refusal
from registry.http.routing import Content, Operation, Parameter, post
from registry.http.threads import Turns
from registry.store.receipt import Forecast, Receipt
from registry.store.recorder import now

BINARY = "application/json"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MODES = (STRUCTURED, BATCH, BINARY)
POSTED_SCHEMA = {"$ref": "#/components/schemas/PostedEvent"}
READ_IN_THREAD = 65_536
"""Bytes of a body beyond which it is read in a thread, one of few at a time."""
VALUES_IN_THREAD = 4096
"""Values of it beyond which it is, too: one that is to be refused takes about a microsecond a value."""

_MEDIA_TYPE = re.compile(
    r"([a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+)[ \t]*(?:;[ \t]*charset=(?:utf-8|\"utf-8\")[ \t]*)?"
)
_VERSION_TAG = re.compile(r'"v(0|[1-9][0-9]{0,9})(?:\.[0-9a-f]+)?"')
_encode = msgspec.json.Encoder().encode

ATTRIBUTES = tuple(
    Parameter(
        f"ce-{name}",
        f"The attribute `{name}` of an event as `{BINARY}`, where every other is a header `ce-<name>` as well",
        {"type": "string"},
        where="header",
        example=posted_example(Registered)[name],
    )
    for name in cloudevents.REQUIRED
)
DRY_RUN = Parameter(
    "dry_run",
    "`true`: record nothing, and answer what the receipt would be (200), or the problem that the post would meet. It "
    "is a forecast on the state of this moment; a batch is tried as a whole, in its order.",
    {"type": "string", "enum": ["true", "false"]},
)
NO_STORE = {"Cache-Control": "no-store"}
_RECEIPT = {"$ref": "#/components/schemas/Receipt"}
_FORECAST = {"$ref": "#/components/schemas/Forecast"}


def _many(schema: dict[str, str]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


@post(
    "/events",
    Operation(
        tag="Events",
        parameters=(
            Parameter(
                "If-Match",
                'The version the agreement must have, such as `"v7"`',
                {"type": "string", "pattern": r'^"v(0|[1-9][0-9]{0,9})(\.[0-9a-f]+)?"$'},
                where="header",
            ),
            Parameter(
                "If-None-Match",
                "`*`: the agreement must not exist yet",
                {"type": "string", "enum": ["*"]},
                where="header",
            ),
            DRY_RUN,
            *ATTRIBUTES,
        ),
        request=(
            Content(STRUCTURED, POSTED_SCHEMA, examples=posted_examples()),
            Content(BATCH, {"type": "array", "items": POSTED_SCHEMA}, batch_example()),
            Content(
                BINARY,
                {"type": "object", "description": "`data`; the attributes are `ce-` headers"},
                Registered.examples[0],
            ),
        ),
        answers={
            201: Content(JSON, Receipt | list[Receipt]),
            200: Content(JSON, {"anyOf": [_RECEIPT, _many(_RECEIPT), _FORECAST, _many(_FORECAST)]}),
        },
        headers={
            "Location": "The path of the event (not for a batch)",
            "ETag": 'The version the agreement now has, such as `"v8"` (not for a batch)',
            "Idempotency-Replayed": "`true` when every event had been recorded before",
        },
        problems=(400, 409, 412, 413, 415, 422),
    ),
)
async def post_events(request: Asked) -> Answer:
    """Append events

    One as `application/cloudevents+json` or, with `ce-` headers, as `application/json`; several as
    `application/cloudevents-batch+json`. All are recorded, or none. Posting an event again is always safe:
    the answer is the receipt of the first time, with `Idempotency-Replayed: true`. With `?dry_run=true` nothing
    is recorded at all.
    """
    dry = flag(query(request, DRY_RUN.name), DRY_RUN.name)
    principal = principal_of(request)
    headers = request.headers  # made anew each time it is asked for
    mode = _mode(headers)
    settings: Settings = request.app.state.settings
    single = mode != BATCH
    expect = _expected(headers, single=single)
    try:
        events = await _read(request, mode, settings, principal.id)
        if dry:
            return _foreseen(await foresee(request, principal, events, expect=expect), single=single)
        receipts = await append(request, principal, events, expect=expect)
    except RegistryError as error:
        if not dry:
            note_refusal(request, principal.label, describe(error)[0].name, error, now())
        if isinstance(error, Refusal) and not single:
            raise InBatch(error) from error
        raise  # a variable that held it would keep it, and the body, until the garbage is next collected
    replayed = all(receipt.replayed for receipt in receipts)
    answered = {"Idempotency-Replayed": "true"} if replayed and receipts else {}
    if receipts:
        answered["Registry-Position"] = str(max(receipt.position for receipt in receipts))
    if single:
        answered["Location"] = f"/events/{receipts[0].position}"
        answered["ETag"] = f'"v{receipts[0].version}"'
    return Answer(
        _encode(receipts[0] if single else receipts), status=200 if replayed else 201, headers=answered
    )


def _foreseen(forecasts: Sequence[Forecast], *, single: bool) -> Answer:
    """Answer with what the receipts would be."""
    replayed = bool(forecasts) and all(forecast.replayed for forecast in forecasts)
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return Answer(_encode(forecasts[0] if single else forecasts), headers=headers | NO_STORE)


def _mode(headers: Mapping[str, str]) -> str:
    """Tell the mode by the media type. Raises UnsupportedMediaType."""
    given = headers.get("content-type", "")
    match = _MEDIA_TYPE.fullmatch(given.strip().lower())
    if match is None or match[1] not in MODES:
        raise UnsupportedMediaType(
            f"{given or 'no media type'!r} is not taken; taken: {', '.join(MODES)}, in UTF-8"
        )
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType("a body with a Content-Encoding is not taken")
    mode = match[1]
    if mode == BINARY and not any(name.startswith("ce-") for name in headers):
        raise UnsupportedMediaType(
            f"{BINARY} is taken in binary mode, with the attributes in ce- headers; "
            f"an event as one JSON object is {STRUCTURED}, several are {BATCH}"
        )
    return mode


def _expected(headers: Mapping[str, str], *, single: bool) -> int | None:
    """Read the version that the headers expect the agreement to have; 0 if it must not exist."""
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if match is None and none_match is None:
        return None
    name = "If-None-Match" if match is None else "If-Match"
    if not single:
        raise BadHeader(
            name, "speaks of one agreement; in a batch give the attribute expectedversion instead"
        )
    if match is None:
        if none_match is not None and none_match.strip() == "*":
            return 0
        raise BadHeader(name, "is not *, which asks that the agreement does not exist yet")
    if none_match is not None:
        raise BadHeader("If-None-Match", "contradicts If-Match; give one of them")
    tag = _VERSION_TAG.fullmatch(match.strip())
    if tag is None:
        raise BadHeader(name, 'is not the ETag of an agreement, such as "v7"')
    return int(tag[1])


async def _read(request: Asked, mode: str, settings: Settings, who: str) -> list[Posted]:
    """Read what is posted: what is soon read at once, all else in a thread, by turns of those who post."""
    most = settings.max_batch_bytes if mode == BATCH else settings.max_event_bytes
    length = announced(request)
    turns: Turns = request.app.state.turns
    if length is not None and length <= READ_IN_THREAD:
        body = await read_body(request, most)
        if not _takes_long(body):
            return _events(request, mode, body, settings)
        async with turns.of(who):
            return await turns.read(_events, request, mode, body, settings)
    async with turns.of(who):
        body = await read_body(request, most)
        if _takes_long(body):
            return await turns.read(_events, request, mode, body, settings)
        return _events(request, mode, body, settings)


def _takes_long(body: bytes) -> bool:
    return len(body) > READ_IN_THREAD or strict_json.values(body) > VALUES_IN_THREAD


def _events(request: Asked, mode: str, body: bytes, settings: Settings) -> list[Posted]:
    """Read the events of a body. Raises Malformed and Invalid, and TooLarge for a batch."""
    if mode == STRUCTURED:
        return [cloudevents.posted(strict_json.decode(body))]
    if mode == BINARY:
        return [cloudevents.from_headers(request.scope["headers"], body)]
    return _batch(body, settings)


def _batch(body: bytes, settings: Settings) -> list[Posted]:
    """Read a batch. Raises Invalid with the flaws of all its events, each pointer led by an index."""
    envelopes = strict_json.decode(body)
    if type(envelopes) is not list:
        raise Invalid("a batch is a JSON array of events", [Flaw("", "is no array")])
    if len(envelopes) > settings.max_batch_events:
        raise TooLarge(f"the batch has {len(envelopes)} events, the limit is {settings.max_batch_events}")
    if len(body) > settings.max_event_bytes:
        _refuse_large(envelopes, settings.max_event_bytes)
    events: list[Posted] = []
    flaws: list[Flaw] = []
    for index, envelope in enumerate(envelopes):
        try:
            events.append(cloudevents.posted(envelope))
        except Invalid as error:
            flaws.extend(Flaw(f"/{index}{flaw.pointer}", flaw.detail) for flaw in error.flaws)
            if len(flaws) >= MAX_FLAWS:
                break
    if flaws:
        raise Invalid("the batch holds events that are not valid; none was recorded", flaws[:MAX_FLAWS])
    return events


def _refuse_large(envelopes: Sequence[Any], most: int) -> None:
    for index, envelope in enumerate(envelopes):
        if (size := len(_encode(envelope))) > most:
            raise TooLarge(f"event {index} of the batch is {size} bytes, the limit is {most}")
