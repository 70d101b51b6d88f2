"""GET /a/{id}: one agreement on any day, as known at any time."""

from typing import Any

from litestar import Response

from registry.domain.view import view
from registry.http.answer import Asked
from registry.http.as_of import agreement_id, read_as_of
from registry.http.freshness import LOG
from registry.http.parameters import day
from registry.http.threads import in_thread
from registry.store.reader import Reader
from registry.ui.page import answer_page, asked_of, page


@page("/a/{id:str}", reads=(LOG,))
async def get_agreement_page(request: Asked) -> Response[Any]:
    """Show an agreement."""
    given = asked_of(request, "valid_as_of", "known_as_of")
    on = day(given, "valid_as_of")
    reader: Reader = request.app.state.reader
    known = await in_thread(read_as_of, reader, agreement_id(request), given.get("known_as_of"))
    return answer_page(request, "agreement.html", one=view(known.state, on), known=known)
