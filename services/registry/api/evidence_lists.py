"""GET /facts, /publications and /sources: what is claimed, what it rests on, and who claims it."""

from typing import Any

from litestar import Response

from registry.api.listing import answer_list, list_operation
from registry.http.answer import Asked
from registry.http.routing import read
from registry.projections import facts, publications, sources


@read("/facts", list_operation(facts.LIST, tag="Agreements"))
async def get_facts(request: Asked) -> Response[Any]:
    """List facts

    What sources claim about the parties and other things, with the value that is shown and what each source says.
    """
    return await answer_list(request, facts.LIST)


@read("/publications", list_operation(publications.LIST, tag="Agreements"))
async def get_publications(request: Asked) -> Response[Any]:
    """List publications

    What has been recorded of each, and which sources cite it; also those that are cited and that nobody has recorded.
    """
    return await answer_list(request, publications.LIST)


@read("/sources", list_operation(sources.LIST, tag="Agreements"))
async def get_sources(request: Asked) -> Response[Any]:
    """List sources

    Who claims something: how much in how many agreements, and where others do not agree.
    """
    return await answer_list(request, sources.LIST)
