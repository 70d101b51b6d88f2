"""/post: an event is written in a form, looked at before it is recorded, and recorded once however often it is sent."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar import Response

from registry.access import EVENTS_WRITE, Principal
from registry.domain import cloudevents, strict_json
from registry.domain.attributes import subject_flaw, type_flaw
from registry.domain.envelope import Posted
from registry.domain.events import EVENT_TYPES
from registry.errors import (
    Flaw,
    Invalid,
    Malformed,
    NotPermitted,
    Refusal,
    RegistryError,
    Rejected,
    TooLarge,
    Unavailable,
)
from registry.http.answer import Asked
from registry.http.appending import append, foresee
from registry.http.parameters import BadParameter
from registry.http.principal import require
from registry.http.problems import describe
from registry.http.refusals import note_refusal
from registry.store.recorder import now
from registry.ui.fields import BadField, any_fields_of
from registry.ui.page import answer_page, asked_of, form, page, show
from registry.ui.schema_form import Form, Given, Read, schema_of, without_row

POST: Final = "/post"
MOST_BYTES = 1_048_576
"""Of a form: percent-encoding makes an event up to nine times as long."""
ENVELOPE = ("/source", "/subject", "/id", "/correlationid")
GROUPS = (
    "instrument",
    "signature",
    "force",
    "term",
    "engagement",
    "follow_up",
    "who",
    "evidence",
    "correction",
)
"""The modules of the types, in the order in which they are offered."""
ACTS = ("preview", "back", "post", "add", "remove", "fresh")


class Refused(msgspec.Struct, frozen=True):
    """Why an event would not be recorded as it is."""

    detail: str
    rule: str = ""
    positions: tuple[int, ...] = ()


@page(POST)
async def get_post(request: Asked) -> Response[Any]:
    """Show which types there are, or the empty form of one."""
    given = asked_of(request, "type", "agreement")
    type_, agreement = given.get("type"), given.get("agreement", "")
    if agreement and (flaw := subject_flaw(agreement)) is not None:
        raise BadParameter("agreement", flaw)
    if type_ is None:
        return answer_page(request, "post_types.html", groups=groups(), agreement=agreement)
    if type_ not in types():
        raise BadParameter("type", "names no type that can be posted")
    principal = require(request, EVENTS_WRITE)
    begun = {"/source": next(iter(principal.sources), ""), "/subject": agreement, "/id": str(uuid4())}
    return _form_page(request, type_, begun, Form(type_, begun), {})


@form(POST)
async def post_post(request: Asked) -> Response[Any]:
    """Do what the button says: look at the event, record it, go back, or change the rows of the form."""
    given = await any_fields_of(request, most=MOST_BYTES)
    act, _, place = given.pop("do", ACTS[0]).partition(":")
    type_ = given.pop("/type", "")
    if act not in ACTS:
        raise BadField("do", f"is not one of {', '.join(ACTS)}")
    if type_ not in types():
        raise BadField("/type", "names no type that can be posted")
    filled = Form(type_, given)
    read = filled.read()
    for name in given:
        if name not in read.known and name not in ENVELOPE:
            raise BadField(name, "is not known here")
    if act in ("preview", "post"):
        return await _tried(request, type_, given, read, record=act == "post")
    if act != "back" and place not in (read.known if act == "fresh" else read.places):
        raise BadField("do", "names nothing of this form")
    if act == "add":
        filled.add(place)
    elif act == "fresh":
        given[place] = str(uuid4())
    elif act == "remove":
        given = without_row(given, place)
        filled = Form(type_, given)
    return _form_page(request, type_, given, filled, {})


async def _tried(request: Asked, type_: str, given: Given, read: Read, *, record: bool) -> Response[Any]:
    """Hold the event against what is recorded; record it, or show what would come of it."""
    principal = require(request, EVENTS_WRITE)
    event = event_of(type_, given, read)
    try:
        posted = _posted(event, read, request.app.state.settings.max_event_bytes)
        if record:
            (receipt,) = await append(request, principal, [posted])
            status = 200 if receipt.replayed else 201
            return show(request, "post_receipt.html", status=status, receipt=receipt, type_=type_)
        (forecast,) = await foresee(request, principal, [posted])
    except Unavailable as error:
        said = {"forecast": None, "refused": Refused(error.detail), "status": 503}
        return _preview(request, type_, given, event, said)
    except RegistryError as error:
        if record:
            _note(request, principal, error)
        flaws = by_field(flaws_of(error), read)
        status = describe(error)[0].status
        return _form_page(
            request, type_, given, Form(type_, given), flaws, refused=refusal_of(error), status=status
        )
    return _preview(request, type_, given, event, {"forecast": forecast, "refused": None})


def event_of(type_: str, given: Given, read: Read) -> dict[str, Any]:
    """Make the CloudEvent that a form says."""
    event: dict[str, Any] = {"specversion": "1.0", "type": type_}
    event |= {name[1:]: given[name].strip() for name in ENVELOPE if given.get(name, "").strip()}
    return event | {"data": read.data}


def _posted(event: dict[str, Any], read: Read, most: int) -> Posted:
    """Read the event as if it had been posted. Raises Malformed, Invalid and TooLarge."""
    if read.flaws:
        flaws = [Flaw(name, detail) for name, details in read.flaws.items() for detail in details]
        raise Malformed("the form says something that cannot be", flaws)
    body = msgspec.json.encode(event)
    if len(body) > most:
        raise TooLarge(f"the event is {len(body):,} bytes, the limit is {most:,}")
    return cloudevents.posted(strict_json.decode(body))


def flaws_of(error: RegistryError) -> list[Flaw]:
    """Say what is wrong at which place of the event."""
    if isinstance(error, (Malformed, Invalid)):
        return list(error.flaws)
    if isinstance(error, Rejected) and error.pointer:
        return [Flaw(f"/data{error.pointer}", error.detail)]
    if isinstance(error, NotPermitted):
        return [Flaw(error.pointer, error.detail)]
    return []


def refusal_of(error: RegistryError) -> Refused:
    """Say why the event as a whole is not taken."""
    positions = tuple(getattr(error, "positions", ()))
    return Refused(error.detail, getattr(error, "rule", ""), positions)


def by_field(flaws: Iterable[Flaw], read: Read) -> dict[str, list[str]]:
    """Put each flaw beside the field that it is about, or the nearest one around it."""
    found: dict[str, list[str]] = {}
    for flaw in flaws:
        pointer = flaw.pointer
        while pointer and pointer not in read.names and pointer not in read.known and pointer not in ENVELOPE:
            pointer = pointer.rpartition("/")[0]
        rest = flaw.pointer.removeprefix(pointer).lstrip("/")
        detail = f"{rest}: {flaw.detail}" if rest else flaw.detail
        found.setdefault(read.names.get(pointer, pointer), []).append(detail)
    return found


def types() -> list[str]:
    """List the types that may be posted."""
    return [name for name in EVENT_TYPES if type_flaw(name) is None]


def groups() -> dict[str, list[tuple[str, str]]]:
    """List the types with what each says, under the name of their group."""
    found: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
    for name in types():
        group = EVENT_TYPES[name].__module__.rpartition(".")[2]
        found[group].append((name, str(schema_of(name)["description"])))
    return found


def _form_page(
    request: Asked,
    type_: str,
    given: Given,
    filled: Form,
    flaws: dict[str, list[str]],
    *,
    refused: Refused | None = None,
    status: int = 200,
) -> Response[Any]:
    return show(
        request,
        "post_form.html",
        status=status,
        type_=type_,
        says=str(schema_of(type_)["description"]),
        given={name: given.get(name, "") for name in ENVELOPE},
        sources=require(request, EVENTS_WRITE).sources,
        fields=filled.fields(flaws),
        flaws=flaws,
        refused=refused,
    )


def _preview(
    request: Asked, type_: str, given: Given, event: dict[str, Any], said: dict[str, Any]
) -> Response[Any]:
    raw = msgspec.json.format(msgspec.json.encode(event), indent=2).decode()
    return show(request, "post_preview.html", type_=type_, given=given, raw=raw, **said)


def _note(request: Asked, principal: Principal, error: RegistryError) -> None:
    if isinstance(error, (Refusal, Invalid, Malformed, TooLarge)):
        note_refusal(request, principal.label, describe(error)[0].name, error, now())
