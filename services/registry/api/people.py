"""GET /institutions and /people: who stands behind the parties."""

from typing import Any

from litestar import Response

from registry.api.listing import answer_list, list_operation
from registry.http.answer import Asked
from registry.http.routing import read
from registry.projections import institutions, people


@read("/institutions", list_operation(institutions.LIST, tag="Agreements"))
async def get_institutions(request: Asked) -> Response[Any]:
    """List institutions

    Each with its names, parties and roles in all agreements, or in those that the filters keep.
    """
    return await answer_list(request, institutions.LIST)


@read("/people", list_operation(people.LIST, tag="Agreements"))
async def get_people(request: Asked) -> Response[Any]:
    """List people

    Each under a random id, with the offices they held and where they signed, took part or spoke, in all agreements or
    in those that the filters keep. What has been erased of a person is gone from here as well.
    """
    return await answer_list(request, people.LIST)
