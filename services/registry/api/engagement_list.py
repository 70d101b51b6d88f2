"""GET /engagements: visits, meetings and calls of all agreements."""

from typing import Any

from litestar import Response

from registry.api.listing import answer_list, list_operation
from registry.http.answer import Asked
from registry.http.routing import read
from registry.projections.engagements import LIST


@read("/engagements", list_operation(LIST, tag="Agreements"))
async def get_engagements(request: Asked) -> Response[Any]:
    """List engagements

    Visits, meetings and calls of all agreements, planned, held and called off, as they stood on a day. What has no
    date comes last, and is left out when `day_from` or `day_to` asks for days.
    """
    return await answer_list(request, LIST)
