"""GET /search: agreements by words and by what is true of them, with the parties, people and places that fit."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from litestar import Response

from registry.access import Sight
from registry.http.answer import Asked
from registry.http.disclosure import disclosed
from registry.http.filters import filters_of
from registry.http.parameters import BadParameter, day
from registry.http.principal import principal_of
from registry.projections import agreement_list, institutions, listing, parties, people
from registry.projections.agreement_list import AgreementFilters
from registry.projections.agreements import AGREEMENTS
from registry.projections.institutions import InstitutionItem
from registry.projections.listing import ForeignCursor
from registry.projections.mentions import comparable
from registry.projections.parties import PARTIES, PartyItem
from registry.projections.people import PersonItem
from registry.projections.views import Views
from registry.ui.page import answer_page, asked_of, page

SHOWN = 25
LOOKED_THROUGH = 1000
"""Parties, people and institutions that are looked through for a name, the parties with most agreements first."""
MOST_NAMES = 8

STATUSES = (
    "negotiation",
    "adopted",
    "partially-signed",
    "signed",
    "provisional",
    "in-force",
    "suspended",
    "expired",
    "terminated",
    "superseded",
    "abandoned",
    "retracted",
    "registered",
)
KINDS = ("loi", "mou", "treaty", "agreement", "protocol", "exchange-of-notes", "joint-statement", "other")
SORTS = ("-updated", "title", "-signed", "signed")
FILTERS = (
    "q",
    "status",
    "kind",
    "party",
    "person",
    "institution",
    "place",
    "disputed",
    "overdue",
    "valid_as_of",
)


class Names(msgspec.Struct, frozen=True):
    """Who has a name that fits the words."""

    parties: tuple[PartyItem, ...] = ()
    people: tuple[PersonItem, ...] = ()
    institutions: tuple[InstitutionItem, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parties or self.people or self.institutions)


@page("/search", reads=(AGREEMENTS, PARTIES))
async def get_search(request: Asked) -> Response[Any]:
    """Find agreements; without anything asked for, all of them."""
    given = asked_of(request, *FILTERS, "sort", "cursor")
    sort = given.get("sort", SORTS[0])
    if sort not in SORTS:
        raise BadParameter("sort", f"is not one of {', '.join(SORTS)}")
    filters = filters_of(AgreementFilters, given, {})
    views: Views = request.app.state.views
    sight = principal_of(request).sight
    try:
        found = await views.read(
            listing.page,
            agreement_list.LIST,
            filters,
            sight=sight,
            sort=sort,
            cursor=given.get("cursor"),
            limit=SHOWN,
        )
    except ForeignCursor as error:
        raise BadParameter("cursor", str(error)) from error
    words = given.get("q", "")
    names = await _names(views, words, sight) if words and "cursor" not in given else Names()
    if names.people:
        await disclosed(request)
    at_place = (
        await views.read(
            listing.page,
            agreement_list.LIST,
            AgreementFilters(place=words, valid_as_of=filters.valid_as_of),
            sight=sight,
            limit=MOST_NAMES,
        )
        if words and comparable(words) and "cursor" not in given
        else None
    )
    return answer_page(
        request,
        "search.html",
        asked={name: given.get(name) for name in (*FILTERS, "cursor")},
        narrowed=bool(given.keys() - {"q", "cursor"}),
        sort=sort,
        sorts=SORTS,
        statuses=STATUSES,
        kinds=KINDS,
        on=day(given, "valid_as_of"),
        found=found,
        names=names,
        at_place=at_place.items if at_place else (),
    )


async def _names(views: Views, words: str, sight: Sight) -> Names:
    """Look for names that hold every word."""
    wanted = comparable(words).split()
    if not wanted:
        return Names()

    async def fitting(one: Any, names_of: Any, sort: str | None = None) -> tuple[Any, ...]:
        every = await views.read(listing.page, one, sight=sight, sort=sort, limit=LOOKED_THROUGH)
        fits = (item for item in every.items if _fits(wanted, names_of(item)))
        return tuple(item for item, _ in zip(fits, range(MOST_NAMES), strict=False))

    return Names(
        await fitting(
            parties.LIST, lambda one: (one.id, one.country, *one.name.values()), sort="-agreements"
        ),
        await fitting(people.LIST, lambda one: one.names),
        await fitting(institutions.LIST, lambda one: (one.institution_id, *_texts(one.names))),
    )


def _texts(names: Iterable[Mapping[str, str]]) -> Iterable[str]:
    return (text for name in names for text in name.values())


def _fits(wanted: list[str], names: Iterable[str | None]) -> bool:
    return any(all(word in comparable(name) for word in wanted) for name in names if name)
