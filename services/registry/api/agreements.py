"""GET /agreements/{id}: what is true of one agreement on any day, as known at any time; and its history."""

from datetime import date
from typing import Any
from weakref import ref

import msgspec
from litestar import Response

from registry.access import Sight
from registry.api.answers import Shown
from registry.api.history import (
    AFTER,
    CURSOR,
    LIMIT,
    NEXT_LINK,
    EventPage,
    Page,
    Which,
    answer_page,
    make_page,
    read_page,
)
from registry.domain.agreement import Agreement
from registry.domain.values import write_custom
from registry.domain.view import AgreementView, view
from registry.domain.visibility import visibility
from registry.errors import NotFound
from registry.http.answer import JSON, Asked, digest, fresh_or_304, has
from registry.http.as_of import ID, KNOWN_AS_OF, VALID_AS_OF, agreement_id, position_of, read_as_of
from registry.http.disclosure import ACCESS_REASON, disclosed, names_people
from registry.http.freshness import LOG
from registry.http.parameters import begin_behind, day, limit, query
from registry.http.principal import principal_of
from registry.http.routing import Content, Operation, read
from registry.http.threads import in_thread
from registry.store.reader import Reader

_encode = msgspec.json.Encoder(enc_hook=write_custom).encode


@read(
    "/agreements/{id:str}",
    Operation(
        tag="Agreements",
        reads=(LOG,),
        parameters=(ID, VALID_AS_OF, KNOWN_AS_OF, ACCESS_REASON),
        answers={200: Content(JSON, AgreementView)},
        headers={"ETag": 'The version of the agreement and a digest of what is shown: `"v8.<digest>"`'},
        problems=(400, 404),
    ),
)
async def get_agreement(request: Asked) -> Response[Any]:
    """Read an agreement

    Its state, folded from its events: status and what explains it, claims, disputes, parts and warnings.
    """
    given = query(request, "valid_as_of", "known_as_of")
    on = day(given, "valid_as_of")
    id = agreement_id(request)
    state, sight = request.app.state, principal_of(request).sight
    if "known_as_of" in given:
        shown, position = await in_thread(_show_then, state.reader, id, on, given["known_as_of"], sight)
    elif (now := state.follower.current(id)) and (kept := state.answers.get(now[0], on, sight)):
        shown, position = kept, state.reader.known_position_for(sight, now[1])
        if position is None:
            position = await in_thread(state.reader.position_for, sight, now[1])
    else:
        shown, position = await in_thread(_show_now, state.reader, id, on, sight)
        state.answers.keep(on, sight, shown)
    if sight.parts and shown.people and not has(request, shown.etag):
        await disclosed(request, agreement=id)
    headers = {"Registry-Position": str(position)}
    return fresh_or_304(request, shown.content, etag=shown.etag, headers=headers)


@read(
    "/agreements/{id:str}/events",
    Operation(
        tag="Agreements",
        reads=(LOG,),
        parameters=(ID, KNOWN_AS_OF, LIMIT, CURSOR, AFTER, ACCESS_REASON),
        answers={200: Content(JSON, EventPage)},
        headers={"Link": NEXT_LINK},
        problems=(400, 404),
    ),
)
async def get_agreement_events(request: Asked) -> Response[Any]:
    """Read the events of an agreement

    In the order of their positions, each as the CloudEvent that was posted.
    """
    given = query(request, "known_as_of", "limit", "cursor", "after")
    id = agreement_id(request)
    after, size = begin_behind(given), limit(given)
    reader: Reader = request.app.state.reader
    sight = principal_of(request).sight
    page = await in_thread(_history, reader, Which(id, (), sight), after, size, given.get("known_as_of"))
    if sight.parts and names_people(page.content):
        await disclosed(request, agreement=id)
    return answer_page(request, given, page)


def _history(reader: Reader, which: Which, after: int, size: int, known_as_of: str | None) -> Page:
    """Read a page of the events of an agreement. Raises NotFound before its first."""
    until = position_of(reader, known_as_of, reader.head().size, which.sight)
    rows = read_page(reader, after, size + 1, which)
    first = read_page(reader, 0, 1, which) if after else rows
    if not first or first[0].position > until:
        raise NotFound(f"there is no agreement {which.agreement!r} as of position {until}")
    return make_page([row for row in rows if row.position <= until], size=size, position=until)


def _show_now(reader: Reader, id: str, on: date, sight: Sight) -> tuple[Shown, int]:
    """Show an agreement as the log knows it, and tell up to which position that was read. Raises NotFound."""
    known = read_as_of(reader, id, None, sight)
    return _shown(known.whole, view(known.now, on)), known.position


def _show_then(reader: Reader, id: str, on: date, known_as_of: str, sight: Sight) -> tuple[Shown, int]:
    """Show an agreement as it was known, by today's rights. Raises NotFound and BadParameter."""
    known = read_as_of(reader, id, known_as_of, sight)
    shown = msgspec.structs.replace(view(known.state, on), visibility=visibility(known.now))
    return _shown(known.whole, shown), known.position


def _shown(state: Agreement, shown: AgreementView) -> Shown:
    content = _encode(shown)
    return Shown(
        state.id, ref(state), content, f"v{shown.version}.{digest(content)}", people=names_people(content)
    )
