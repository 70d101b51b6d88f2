"""Every page, for the composition root."""

from typing import Any

from litestar import Request, Response
from litestar.exceptions import NotFoundException

from registry.http.problems import answer_problem
from registry.ui import agreement, assets, board, calendar, log, parties, search, verify
from registry.ui.page import answer_error

page_handlers: list[Any] = [
    board.get_board,
    agreement.get_agreement_page,
    search.get_search,
    parties.get_parties_page,
    parties.get_party_page,
    parties.get_pair_page,
    calendar.get_calendar_page,
    log.get_log_page,
    log.get_event_page,
    verify.get_verify,
    assets.get_static,
]


def answer_stray(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer an error of no page: a browser that asks for what is not there gets a page, all others a problem."""
    if isinstance(error, NotFoundException):
        return answer_error(request, error)
    return answer_problem(request, error)
