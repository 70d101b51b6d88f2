"""Every page, for the composition root."""

from typing import Any

from litestar import Request, Response
from litestar.exceptions import NotFoundException

from registry.http.problems import answer_problem
from registry.http.routing import options_of
from registry.ui import (
    agreement,
    assets,
    board,
    calendar,
    compose,
    log,
    operate,
    operate_keys,
    parties,
    search,
    sign_in,
    verify,
)
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
    sign_in.get_sign_in,
    sign_in.post_sign_in,
    sign_in.post_sign_out,
    operate.get_operate,
    operate.post_rebuild_page,
    operate.post_retry_page,
    operate.get_skip_page,
    operate.post_skip_page,
    operate_keys.post_key_page,
    operate_keys.get_revoke_page,
    operate_keys.post_revoke_page,
    compose.get_post,
    compose.post_post,
    assets.get_static,
]
page_handlers = [*options_of(page_handlers), *page_handlers]


def answer_stray(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer an error of no page: a browser that asks for what is not there gets a page, all others a problem."""
    if isinstance(error, NotFoundException):
        return answer_error(request, error)
    return answer_problem(request, error)
