"""GET /follow-ups: what is to be done in all agreements."""

from typing import Any

from litestar import Response

from registry.api.listing import answer_list, list_operation
from registry.http.answer import Asked
from registry.http.routing import read
from registry.projections.follow_ups import LIST


@read("/follow-ups", list_operation(LIST, tag="Agreements"))
async def get_follow_ups(request: Asked) -> Response[Any]:
    """List follow-ups

    What is to be done in all agreements, by whom and by when, as it stood on a day. One is overdue when it is open
    after the last day that its date can mean: one due in "2025-07" from 1 August.
    """
    return await answer_list(request, LIST)
