"""GET /verify: recomputes in the browser that an event, or every event of an agreement, is in the log."""

from typing import Any

from litestar import Response

from registry.domain.attributes import subject_flaw
from registry.http.answer import Asked
from registry.http.parameters import BadParameter, number
from registry.ui.page import answer_page, asked_of, page

NOT_PROVED = ("claim", "others", "key", "page", "status", "newest")
"""What the proof says nothing about, by the key of its text."""

STEPS = (
    "leaf",
    "entry",
    "parts",
    "erased",
    "signed_given",
    "signed_kept",
    "signed_offered",
    "witnesses",
    "included",
    "every",
    "progress",
    "extends",
    "first",
    "failed",
    "running",
    "verified",
    "verified_offered",
    "refuted",
    "state.holds",
    "state.fails",
    "state.note",
)
"""What the script says, by the key of its text; values in braces are put in there."""


@page("/verify")
async def get_verify(request: Asked) -> Response[Any]:
    """Show the page; nothing is verified on this side."""
    given = asked_of(request, "position", "agreement")
    position, agreement = number(given, "position", least=1), given.get("agreement")
    if agreement is not None and (flaw := subject_flaw(agreement)) is not None:
        raise BadParameter("agreement", flaw)
    if position is not None and agreement is not None:
        raise BadParameter("agreement", "and position name two things to verify; give one")
    return answer_page(
        request,
        "verify.html",
        site=str(request.base_url).rstrip("/"),
        position=position,
        agreement=agreement,
        steps=STEPS,
        not_proved=NOT_PROVED,
    )
