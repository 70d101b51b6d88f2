"""GET /parties as a page, /p/{id} and /pair/{a}/{b}: who has agreements with whom, and where they stand."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response

from registry.access import Sight
from registry.domain.values import ID_PATTERN
from registry.errors import NotFound
from registry.http.answer import Asked
from registry.http.parameters import BadParameter, day
from registry.http.principal import principal_of
from registry.projections import agreement_list, listing, parties, party_pages
from registry.projections.agreement_list import AgreementFilters
from registry.projections.agreements import AgreementItem
from registry.projections.listing import F, ForeignCursor, I, Listing, Page
from registry.projections.parties import PARTIES, PartyItem
from registry.projections.party_pages import MODELS, PairItem, pair_view, party_view
from registry.projections.views import Views
from registry.ui.either import PARTIES_PAGE
from registry.ui.page import answer_page, asked_of, page
from registry.ui.svg.ring import ring

SHOWN = 100
IN_MATRIX = 20
"""Parties of the matrix and of the drawing: those with most agreements."""
PAIRS = 1000
OF_PARTY = 25
LEVELS = (1, 2, 5, 10, 25)
"""From how many agreements on a cell of the matrix has the next darker colour."""


class Cell(msgspec.Struct, frozen=True):
    """A place of the matrix."""

    one: str
    other: str
    agreements: int
    level: int
    """0 where there is nothing, then up to 5."""


@page(PARTIES_PAGE, reads=(PARTIES,))
async def get_parties_page(request: Asked) -> Response[Any]:
    """Show every party, and how many agreements those with most have with each other."""
    given = asked_of(request, "cursor")
    views: Views = request.app.state.views
    sight = principal_of(request).sight
    found = await _page(
        views, sight, parties.LIST, sort="-agreements", cursor=given.get("cursor"), limit=SHOWN
    )
    most = await _page(views, sight, parties.LIST, sort="-agreements", limit=IN_MATRIX)
    pairs = await _page(views, sight, party_pages.PAIR_LIST, sort="-agreements", limit=PAIRS)
    heads = sorted(most.items, key=lambda party: party.id)
    return answer_page(
        request,
        "parties.html",
        found=found,
        cursor=given.get("cursor"),
        heads=heads,
        matrix=matrix(heads, pairs.items),
        drawing=ring(
            [party.id for party in heads], [(pair.one, pair.other, pair.agreements) for pair in pairs.items]
        ),
        pairs=pairs.items[:SHOWN],
        names={party.id: party for party in (*found.items, *most.items)},
    )


@page("/p/{id:str}", reads=MODELS)
async def get_party_page(request: Asked) -> Response[Any]:
    """Show one party and its agreements."""
    given = asked_of(request, "valid_as_of", "cursor")
    id, on = _party(request, "id"), day(given, "valid_as_of")
    views: Views = request.app.state.views
    sight = principal_of(request).sight
    shown, _ = await views.read(party_view, id, on, sight=sight)
    filters = AgreementFilters(party=id, valid_as_of=on)
    theirs = await _agreements(views, sight, filters, given.get("cursor"))
    return answer_page(request, "party.html", one=shown, on=on, cursor=given.get("cursor"), found=theirs)


@page("/pair/{a:str}/{b:str}", reads=MODELS)
async def get_pair_page(request: Asked) -> Response[Any]:
    """Show what is between two parties."""
    given = asked_of(request, "valid_as_of", "cursor")
    a, b, on = _party(request, "a"), _party(request, "b"), day(given, "valid_as_of")
    views: Views = request.app.state.views
    sight = principal_of(request).sight
    shown, _ = await views.read(pair_view, a, b, on, sight=sight)
    filters = AgreementFilters(pair=(a, b), valid_as_of=on)
    theirs = await _agreements(views, sight, filters, given.get("cursor"))
    return answer_page(request, "pair.html", two=shown, on=on, cursor=given.get("cursor"), found=theirs)


def matrix(heads: Sequence[PartyItem], pairs: Sequence[PairItem]) -> list[tuple[PartyItem, list[Cell]]]:
    """Lay out who has how many agreements with whom: a row a party, a cell for each other in the same order."""
    counts = {frozenset((pair.one, pair.other)): pair.agreements for pair in pairs}

    def cell(one: str, other: str) -> Cell:
        number = counts.get(frozenset((one, other)), 0) if one != other else 0
        return Cell(one, other, number, sum(number >= level for level in LEVELS))

    return [(row, [cell(row.id, column.id) for column in heads]) for row in heads]


async def _agreements(
    views: Views, sight: Sight, filters: AgreementFilters, cursor: str | None
) -> Page[AgreementItem]:
    return await _page(
        views, sight, agreement_list.LIST, filters, sort="-signed", cursor=cursor, limit=OF_PARTY
    )


async def _page(
    views: Views,
    sight: Sight,
    one: Listing[F, I],
    filters: F | None = None,
    *,
    sort: str,
    cursor: str | None = None,
    limit: int,
) -> Page[I]:
    try:
        return await views.read(
            listing.page, one, filters, sight=sight, sort=sort, cursor=cursor, limit=limit
        )
    except ForeignCursor as error:
        raise BadParameter("cursor", str(error)) from error


def _party(request: Asked, name: str) -> str:
    id: str = request.path_params[name]
    if not re.match(ID_PATTERN, id):
        raise NotFound("there is no such party: this is no id of one")
    return id
