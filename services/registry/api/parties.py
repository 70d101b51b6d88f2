"""GET /parties and /pairs: who has agreements, with whom, and how they stand."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response

from registry.api.listing import answer_list, list_operation
from registry.domain.values import ID_PATTERN
from registry.errors import NotFound
from registry.http.answer import JSON, Answer, Asked, digest, fresh_or_304
from registry.http.as_of import VALID_AS_OF
from registry.http.parameters import day, query
from registry.http.principal import principal_of
from registry.http.routing import Content, Operation, Parameter, read
from registry.projections.parties import LIST
from registry.projections.party_pages import MODELS, PAIR_LIST, PairView, PartyView, pair_view, party_view
from registry.projections.views import Views

_ID = re.compile(ID_PATTERN)
_encode = msgspec.json.Encoder().encode


def _party(name: str, example: str) -> Parameter:
    return Parameter(
        name, "The id of the party", {"type": "string"}, required=True, where="path", example=example
    )


@read("/parties", list_operation(LIST, tag="Agreements"))
async def get_parties(request: Asked) -> Response[Any]:
    """List parties

    Each as most of its agreements describe it, with how many these are.
    """
    return await answer_list(request, LIST)


@read(
    "/parties/{id:str}",
    Operation(
        tag="Agreements",
        reads=MODELS,
        parameters=(_party("id", "pak"), VALID_AS_OF),
        answers={200: Content(JSON, PartyView)},
        problems=(400, 404),
    ),
)
async def get_party(request: Asked) -> Response[Any]:
    """Read a party

    With whom it has agreements, how many, and where they stand; `/agreements?party=` lists them.
    """
    return await _answer(request, party_view, "id")


@read("/pairs", list_operation(PAIR_LIST, tag="Agreements"))
async def get_pairs(request: Asked) -> Response[Any]:
    """List pairs of parties

    All that have an agreement with each other, with how many these are.
    """
    return await answer_list(request, PAIR_LIST)


@read(
    "/pairs/{a:str}/{b:str}",
    Operation(
        tag="Agreements",
        reads=MODELS,
        parameters=(_party("a", "pak"), _party("b", "slv"), VALID_AS_OF),
        answers={200: Content(JSON, PairView)},
        problems=(400, 404),
    ),
)
async def get_pair(request: Asked) -> Response[Any]:
    """Read a pair of parties

    How many agreements there are between them, and where they stand; `/agreements?pair=` lists them.
    """
    return await _answer(request, pair_view, "a", "b")


async def _answer(request: Asked, show: Callable[..., tuple[msgspec.Struct, int]], *names: str) -> Answer:
    """Answer with what is shown of the parties that the path names. Raises NotFound."""
    on = day(query(request, "valid_as_of"), "valid_as_of")
    ids: list[str] = [request.path_params[name] for name in names]
    if not all(map(_ID.search, ids)):
        raise NotFound("there is no such party: this is no id of one")
    views: Views = request.app.state.views
    shown, position = await views.read(show, *ids, on, sight=principal_of(request).sight)
    content = _encode(shown)
    headers = {"Registry-Position": str(position)}
    return fresh_or_304(request, content, etag=digest(content), headers=headers)
