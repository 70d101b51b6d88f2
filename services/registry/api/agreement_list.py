"""GET /agreements: all of them, or those that are asked for; and GET /agreements/{id}/timeline."""

from typing import Any

from litestar import Response

from registry.api.listing import answer_list, list_operation
from registry.http.answer import Asked
from registry.http.as_of import ID, agreement_id, read_as_of
from registry.http.principal import principal_of
from registry.http.routing import read
from registry.http.threads import in_thread
from registry.projections import timeline
from registry.projections.agreement_list import LIST


@read("/agreements", list_operation(LIST, tag="Agreements"))
async def get_agreements(request: Asked) -> Response[Any]:
    """List agreements

    With what is true of each on a day. Filters narrow the list, and all that are given must hold.
    """
    return await answer_list(request, LIST)


@read(
    "/agreements/{id:str}/timeline",
    list_operation(timeline.LIST, tag="Agreements", path={"agreement": ID}, problems=(404,)),
)
async def get_agreement_timeline(request: Asked) -> Response[Any]:
    """List the dates of an agreement

    Everything in its events that has a date, each with when the registry learned it.
    """
    id = agreement_id(request)
    await in_thread(read_as_of, request.app.state.reader, id, None, principal_of(request).sight)
    return await answer_list(request, timeline.LIST, agreement=id)
