"""Erasing personal data, of one event or of one person: what would go, and seeing to it that it is gone."""

import asyncio
import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from registry.domain import strict_json
from registry.domain.attributes import subject_flaw
from registry.domain.values import PERSON_ID_PATTERN, Code
from registry.errors import Flaw, Malformed, NotFound, Unavailable
from registry.http.answer import JSON, Answer, Asked
from registry.http.as_of import EXAMPLE
from registry.http.body import read_body
from registry.http.parameters import BadParameter, query
from registry.http.principal import principal_of
from registry.http.problems import UnsupportedMediaType
from registry.http.routing import Content, Operation, Parameter, post, read
from registry.http.threads import in_thread
from registry.projections.clearing import Clearing, behind, cleared
from registry.store.erasure import Erased, Eraser, Parts, look
from registry.store.people import erase_everywhere, known, parts_of_person

MAX_BODY = 16_384
WAIT = 20.0
"""Seconds that an erasure waits until what was erased is gone from everything derived."""
PAUSE = 0.02, 0.25
"""The first and the longest pause between two looks, in seconds."""
NO_STORE = {"Cache-Control": "no-store"}

_POSITION = re.compile(r"[1-9][0-9]{0,14}")
_NUMBERS = re.compile(r"(?:0|[1-9][0-9]{0,4})(?:,(?:0|[1-9][0-9]{0,4}))*")

AGREEMENT = Parameter(
    "id", "The id of the agreement", {"type": "string"}, required=True, where="path", example=EXAMPLE
)
PERSON = Parameter(
    "id",
    "The id of the person",
    {"type": "string", "pattern": PERSON_ID_PATTERN},
    required=True,
    where="path",
    example="7b76ef5a-9bd2-408c-ad28-16586931b33e",
)
POSITION = Parameter(
    "position",
    "Position of the event",
    {"type": "integer", "minimum": 1},
    required=True,
    where="path",
    example=12,
)
PARTS = Parameter(
    "parts", "Numbers of parts, separated by commas; without it all personal ones", {"type": "string"}
)

PartNumber = Annotated[int, Meta(ge=0, le=65_535)]


class ErasureAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be erased of an event, and why."""

    legal_basis: Annotated[Code, Meta(description="Code of the legal basis, such as `GDPR 17(1)(b)`")]
    parts: (
        Annotated[
            tuple[PartNumber, ...],
            Meta(
                description="Numbers of the parts; without it all personal ones. 0 takes all others along",
                min_length=1,
            ),
        ]
        | None
    ) = None


class PersonErasureAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why everything personal of a person is to be erased."""

    legal_basis: Annotated[Code, Meta(description="Code of the legal basis, such as `GDPR 17(1)(b)`")]


class Erasable(msgspec.Struct, frozen=True):
    """What an erasure would take, and what has been erased before."""

    items: tuple[Parts, ...]


class Erasures(msgspec.Struct, frozen=True):
    """What has been erased, and whether it is gone from everything that is made of the log."""

    erased: Annotated[
        tuple[Erased, ...], Meta(description="Each with the receipt of the event that records it")
    ]
    cleared: Annotated[
        bool,
        Meta(
            description="Whether it is gone from all read models, indexes and files of the database as well"
        ),
    ]
    behind: Annotated[
        tuple[str, ...],
        Meta(description="Read models that have yet to pass the erasure, if it is not cleared"),
    ] = ()


_ANSWERS = dict.fromkeys((200, 201, 202), Content(JSON, Erasures))
_HEADERS = {
    "Idempotency-Replayed": "`true` when everything had been erased before",
    "Registry-Position": "The last position at which an erasure is recorded; reads wait for it with `min_position`",
}


@read(
    "/agreements/{id:str}/events/{position:str}/erasures",
    Operation(
        tag="Operations",
        parameters=(AGREEMENT, POSITION, PARTS),
        answers={200: Content(JSON, Erasable)},
        tagged=False,
        problems=(400, 404, 409),
    ),
)
async def get_event_erasures(request: Asked) -> Answer:
    """Read what an erasure of an event would take

    Its parts, and those of the same persons in what it corrects and in its corrections.
    """
    given = query(request, "parts")
    agreement, position = _place(request)
    reader = request.app.state.reader
    return _answer(Erasable(tuple(await in_thread(look, reader, agreement, position, _numbers(given)))))


@post(
    "/agreements/{id:str}/events/{position:str}/erasures",
    Operation(
        tag="Operations",
        parameters=(AGREEMENT, POSITION),
        request=(Content(JSON, ErasureAsked, {"legal_basis": "GDPR 17(1)(b)"}),),
        answers=_ANSWERS,
        headers=_HEADERS,
        problems=(400, 404, 409, 413, 415),
    ),
)
async def post_event_erasures(request: Asked) -> Answer:
    """Erase personal data of an event

    For good: the parts go with their salts, and an event of the registry's own says so. The same persons' parts in
    what the event corrects and in its corrections go as well. All proofs still hold. The answer comes once nothing
    that is made of the log holds them any more; it is a 202 if that takes longer. To repeat it is always safe.
    """
    query(request)
    agreement, position = _place(request)
    asked = await _read(request, ErasureAsked)
    done = await in_thread(
        _eraser(request).erase, agreement, position, asked.parts, asked.legal_basis, principal_of(request).id
    )
    return await _finished(request, done)


@read(
    "/people/{id:str}/erasures",
    Operation(
        tag="Operations",
        parameters=(PERSON,),
        answers={200: Content(JSON, Erasable)},
        tagged=False,
        problems=(400, 404),
    ),
)
async def get_person_erasures(request: Asked) -> Answer:
    """Read where personal data of a person stands

    Looked for in the log itself, in all agreements.
    """
    query(request)
    person = _person(request)
    found, _ = await in_thread(parts_of_person, request.app.state.reader, person)
    return _answer(Erasable(tuple(known(found, person))))


@post(
    "/people/{id:str}/erasures",
    Operation(
        tag="Operations",
        parameters=(PERSON,),
        request=(Content(JSON, PersonErasureAsked, {"legal_basis": "GDPR 17(1)(b)"}),),
        answers=_ANSWERS,
        headers=_HEADERS,
        problems=(400, 404, 413, 415),
    ),
)
async def post_person_erasures(request: Asked) -> Answer:
    """Erase everything personal of a person

    In all agreements, one after the other, for good; the answer is as for one event.
    """
    query(request)
    person = _person(request)
    asked = await _read(request, PersonErasureAsked)
    done = await in_thread(
        erase_everywhere,
        _eraser(request),
        request.app.state.reader,
        person,
        asked.legal_basis,
        principal_of(request).id,
    )
    return await _finished(request, done)


async def _finished(request: Asked, done: list[Erased]) -> Answer:
    """Wait until what was erased is gone from everything, and say what is so."""
    state = request.app.state
    clearing: Clearing = state.clearing
    position = max(one.receipt.position for one in done)
    state.sequencer.arrivals.announce(position)
    clearing.wake()
    clock = asyncio.get_running_loop().time
    until, (pause, longest) = clock() + WAIT, PAUSE
    while not (gone := await state.views.read(cleared) >= position) and clock() < until:
        if state.streams.closing.is_set():
            break
        await asyncio.sleep(pause)
        pause = min(2 * pause, longest)
    waiting = () if gone else tuple(await state.views.read(behind, position))
    replayed = all(one.receipt.replayed for one in done)
    headers = NO_STORE | {"Registry-Position": str(position)}
    if replayed:
        headers |= {"Idempotency-Replayed": "true"}
    return Answer(
        msgspec.json.encode(Erasures(tuple(done), gone, waiting)),
        status=202 if not gone else 200 if replayed else 201,
        headers=headers,
    )


def _place(request: Asked) -> tuple[str, int]:
    agreement, position = request.path_params["id"], request.path_params["position"]
    if subject_flaw(agreement) is not None or not _POSITION.fullmatch(position):
        raise NotFound("there is no such event: an agreement has an id, and an event a position from 1")
    return agreement, int(position)


def _person(request: Asked) -> str:
    person: str = request.path_params["id"]
    if not re.match(PERSON_ID_PATTERN, person):
        raise NotFound("there is no such person: the id of one is a random UUID in lower case")
    return person


def _numbers(given: dict[str, str]) -> tuple[int, ...] | None:
    text = given.get("parts")
    if text is None:
        return None
    if not _NUMBERS.fullmatch(text):
        raise BadParameter("parts", "is no list of part numbers, separated by commas")
    return tuple(map(int, text.split(",")))


async def _read(request: Asked, kind: Any) -> Any:
    """Read the body strictly. Raises UnsupportedMediaType, TooLarge or Malformed."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise UnsupportedMediaType(f"{media_type or 'no media type'!r} is not taken; taken: {JSON}")
    body = await read_body(request, MAX_BODY)
    try:
        return msgspec.convert(strict_json.decode(body), kind)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `$")
        place = re.sub(r"\.|\[(\d+)\]|\[\.\.\.\]", r"/\1", path.rstrip("`"))
        raise Malformed("this does not say what is to be erased, and why", [Flaw(place, detail)]) from None


def _eraser(request: Asked) -> Eraser:
    state = request.app.state
    if state.sequencer.read_only:
        raise Unavailable(state.sequencer.read_only, retry_after=60)
    eraser: Eraser = state.eraser
    return eraser


def _answer(shown: msgspec.Struct) -> Answer:
    return Answer(msgspec.json.encode(shown), headers=NO_STORE)
