"""What stands behind the answer about an agreement: its explanation, its claims, its history, what changed."""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response
from msgspec import Meta

from registry.access import Sight
from registry.domain.claims_view import ClaimsShown, claims_view
from registry.domain.compare import Change, compare
from registry.domain.explain import Explanation, explain
from registry.domain.history import HistoryEntry, history
from registry.domain.timeline import Span, timeline
from registry.domain.values import write_custom
from registry.domain.view import view
from registry.http.answer import JSON, Asked, digest, fresh_or_304
from registry.http.as_of import ID, KNOWN_AS_OF, VALID_AS_OF, Known, agreement_id, read_as_of
from registry.http.disclosure import ACCESS_REASON, disclosed
from registry.http.freshness import LOG
from registry.http.parameters import BadParameter, day, limit, number, query
from registry.http.principal import principal_of
from registry.http.routing import Content, Operation, Parameter, read
from registry.http.threads import in_thread
from registry.store.reader import Reader

PREDICATE = Parameter(
    "predicate", "Only the claims on this predicate, such as `kind` or `title.en`", {"type": "string"}
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_encode = msgspec.json.Encoder(enc_hook=write_custom).encode


class ClaimsOfAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Every predicate with a live claim, and what each source says on it."""

    agreement: str
    position: Annotated[int, Meta(description="Of its last event that was known")]
    predicates: tuple[ClaimsShown, ...]


class HistoryOfAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """How the answer for one day changed with each event."""

    agreement: str
    on: Annotated[date, Meta(description="The day that the statuses and changes are about")]
    timeline: Annotated[tuple[Span, ...], Meta(description="The statuses of all days, as known at the end")]
    entries: tuple[HistoryEntry, ...]
    next: Annotated[int | None, Meta(description="The `after_version` of the next page; null on the last")]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two points that are compared."""

    valid_as_of: date
    known_as_of: Annotated[int, Meta(description="A position")]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two answers about one agreement."""

    agreement: str
    before: Point
    after: Point
    changes: tuple[Change, ...]


@read(
    "/agreements/{id:str}/explain",
    Operation(
        tag="Agreements",
        reads=(LOG,),
        parameters=(ID, VALID_AS_OF, KNOWN_AS_OF),
        answers={200: Content(JSON, Explanation)},
        problems=(400, 404),
    ),
)
async def get_explanation(request: Asked) -> Response[Any]:
    """Explain the status of an agreement

    The rule that matched, why each rule above it did not, and the positions of the events behind each: as a
    sentence for people and as a structure for programs.
    """
    given = query(request, "valid_as_of", "known_as_of")
    on = day(given, "valid_as_of")

    def answer(known: Known) -> Explanation:
        return explain(known.state, on)

    return await _answer(request, answer, given.get("known_as_of"))


@read(
    "/agreements/{id:str}/claims",
    Operation(
        tag="Agreements",
        reads=(LOG,),
        parameters=(ID, KNOWN_AS_OF, PREDICATE),
        answers={200: Content(JSON, ClaimsOfAgreement)},
        problems=(400, 404),
    ),
)
async def get_claims(request: Asked) -> Response[Any]:
    """Read who claims what of an agreement

    For each predicate the live claims with source, citations, basis, confidence and position, the one that is
    shown first, and whether they are in dispute. Claims hold on every day: they are what sources say.
    """
    given = query(request, "known_as_of", "predicate")

    def answer(known: Known) -> ClaimsOfAgreement:
        shown = claims_view(known.state, given.get("predicate"))
        return ClaimsOfAgreement(agreement=known.state.id, position=known.state.position, predicates=shown)

    return await _answer(request, answer, given.get("known_as_of"))


@read(
    "/agreements/{id:str}/history",
    Operation(
        tag="Agreements",
        reads=(LOG,),
        parameters=(
            ID,
            VALID_AS_OF,
            KNOWN_AS_OF,
            Parameter("limit", "Entries of a page", {"type": "integer", "minimum": 1, "maximum": 1000}),
            Parameter("after_version", "Begin behind this version", {"type": "integer", "minimum": 0}),
            ACCESS_REASON,
        ),
        answers={200: Content(JSON, HistoryOfAgreement)},
        problems=(400, 404),
    ),
)
async def get_history(request: Asked) -> Response[Any]:
    """Read how the answer about an agreement changed with each event

    On both axes: what each event changed in the answer for one day, and the statuses of all days as they were
    known with it. A correction shows what it replaced: the entries before it still tell the error.
    """
    given = query(request, "valid_as_of", "known_as_of", "limit", "after_version")
    on, size = day(given, "valid_as_of"), limit(given)
    after = number(given, "after_version") or 0
    reader: Reader = request.app.state.reader

    sight = principal_of(request).sight

    def answer(known: Known) -> HistoryOfAgreement:
        events = reader.recorded(known.state.id, until=known.position)
        entries = history(events, on, after_version=after, limit=size, parts=sight.parts)
        more = bool(entries) and entries[-1].version < events[-1].version
        return HistoryOfAgreement(
            agreement=known.state.id,
            on=on,
            timeline=timeline(known.state),
            entries=entries,
            next=entries[-1].version if more else None,
        )

    shown = await _answer(request, answer, given.get("known_as_of"))
    await disclosed(request, agreement=agreement_id(request))
    return shown


@read(
    "/agreements/{id:str}/compare",
    Operation(
        tag="Agreements",
        reads=(LOG,),
        parameters=(
            ID,
            Parameter(
                "from",
                "A day, or a position or record time of the log",
                {"type": "string", "minLength": 1},
                required=True,
                example="2025-07-15",
            ),
            Parameter(
                "to",
                "As `from`, and of the same kind",
                {"type": "string", "minLength": 1},
                required=True,
                example="2025-07-16",
            ),
            VALID_AS_OF,
            KNOWN_AS_OF,
            ACCESS_REASON,
        ),
        answers={200: Content(JSON, Comparison)},
        problems=(400, 404),
    ),
)
async def get_comparison(request: Asked) -> Response[Any]:
    """Compare an agreement with itself, field by field

    Between two days, with what was known at `known_as_of`; or between two positions (or record times) of the
    log, for the day `valid_as_of`.
    """
    given = query(request, "from", "to", "valid_as_of", "known_as_of")
    for name in ("from", "to"):
        if name not in given:
            raise BadParameter(name, "is missing: a day, a position or a record time")
    of_days = [bool(_DAY.fullmatch(given[name])) for name in ("from", "to")]
    if of_days[0] != of_days[1]:
        raise BadParameter("to", "is not of the same kind as from: two days, or two positions or times")
    decided = "valid_as_of" if of_days[0] else "known_as_of"
    if decided in given:
        raise BadParameter(decided, "is what from and to say already")
    on = day(given, "valid_as_of")
    if of_days[0]:
        moments = [(day(given, name), given.get("known_as_of")) for name in ("from", "to")]
    else:
        moments = [(on, given[name]) for name in ("from", "to")]
    reader: Reader = request.app.state.reader
    sight = principal_of(request).sight
    content, position = await in_thread(_compared, reader, agreement_id(request), moments, sight)
    await disclosed(request, agreement=agreement_id(request))
    return _found(request, content, position)


async def _answer(request: Asked, show: Callable[[Known], Any], known_as_of: str | None) -> Response[Any]:
    reader: Reader = request.app.state.reader
    id, sight = agreement_id(request), principal_of(request).sight

    def read_and_show() -> tuple[bytes, int]:
        known = read_as_of(reader, id, known_as_of, sight)
        return _encode(show(known)), known.position

    return _found(request, *await in_thread(read_and_show))


def _found(request: Asked, content: bytes, position: int) -> Response[Any]:
    headers = {"Registry-Position": str(position)}
    return fresh_or_304(request, content, etag=digest(content), headers=headers)


def _compared(
    reader: Reader, id: str, moments: list[tuple[date, str | None]], sight: Sight
) -> tuple[bytes, int]:
    points, views = [], []
    for (on, known_as_of), name in zip(moments, ("from", "to"), strict=True):
        known = read_as_of(reader, id, known_as_of, sight, name)
        points.append(Point(valid_as_of=on, known_as_of=known.position))
        views.append(view(known.state, on))
    shown = Comparison(agreement=id, before=points[0], after=points[1], changes=compare(*views))
    return _encode(shown), max(point.known_as_of for point in points)
