"""The only map from errors to HTTP: every 4xx and 5xx is an RFC 9457 problem of a published kind."""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import Meta

from registry.audit.witness import NotExtending, NotSigned, TooOften
from registry.domain.strict_json import MAX_FLAWS
from registry.errors import (
    IdentityTaken,
    Invalid,
    Malformed,
    NotFound,
    NotPermitted,
    Refusal,
    RegistryError,
    Rejected,
    TooLarge,
    Unavailable,
    VersionMismatch,
)
from registry.http import kinds
from registry.http.answer import Answer, applied
from registry.http.credentials import BASIC, CrossSite, Forbidden, Unauthenticated
from registry.http.freshness import Behind
from registry.http.kinds import Kind
from registry.http.parameters import BadHeader, BadParameter, TooLong
from registry.http.principal import takes_basic
from registry.http.rates import TooManyRequests
from registry.http.told import told_of

log = logging.getLogger(__name__)

Members = dict[str, Any]
"""Members of a problem, by name."""

PROBLEM = "application/problem+json"


class Fault(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing wrong, and its place: in the event, the query or the headers."""

    pointer: Annotated[str | None, Meta(description="JSON pointer (RFC 6901); empty for the whole")] = None
    parameter: Annotated[str | None, Meta(description="Name of a query parameter")] = None
    header: Annotated[str | None, Meta(description="Name of a header")] = None
    detail: Annotated[str, Meta(description="What is wrong there")]


class Checked(msgspec.Struct, frozen=True):
    """One thing that was looked at to tell whether the service is ready."""

    name: str
    state: Annotated[Literal["ok", "warning", "failed"], Meta(description="`failed` makes it unready")]
    detail: Annotated[str, Meta(description="What was found")]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A problem (RFC 9457) with the members this registry adds."""

    type: Annotated[str, Meta(description="URL of the page that explains this kind; stable")]
    title: Annotated[str, Meta(description="The kind in words; the same for every problem of it")]
    status: Annotated[int, Meta(description="The HTTP status code")]
    detail: Annotated[str, Meta(description="What happened this time, for people")]
    request_id: Annotated[str, Meta(description="Under which the request is found in the log of the service")]
    errors: Annotated[tuple[Fault, ...], Meta(description="What is wrong, and where")] = ()
    rule: Annotated[str | None, Meta(description="The stable name of the rule that refused")] = None
    positions: Annotated[tuple[int, ...], Meta(description="Positions of the events in conflict")] = ()
    current_version: Annotated[
        int | None, Meta(description="The version the agreement has; 0 if it does not exist")
    ] = None
    position: Annotated[
        int | None, Meta(description="The position that has been reached, instead of the one asked for")
    ] = None
    checks: Annotated[
        tuple[Checked, ...], Meta(description="What was looked at, where the service is not ready")
    ] = ()


class NotAcceptable(RegistryError):
    """The resource has no form that the request accepts."""


class UnsupportedMediaType(RegistryError):
    """The body is of a media type that is not taken."""


class NotReady(Unavailable):
    """The service cannot do its work; ``checks`` say what was found."""

    def __init__(self, checks: tuple[Checked, ...], retry_after: int) -> None:
        failed = "; ".join(check.detail for check in checks if check.state == "failed")
        super().__init__(failed, retry_after)
        self.checks = checks


class InBatch(RegistryError):
    """An event of a batch was refused, and with it the batch."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"event {refusal.index} of the batch: {refusal.detail}")
        self.refusal = refusal


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer with the problem that an error is. The one exception handler of the service."""
    told = told_of(request.scope)
    request_id = told.request_id
    kind, members, headers = describe(error)
    told.problem, told.rule = kind.name, members.get("rule", "")
    if kind is kinds.INTERNAL:
        log.error(
            "request %s failed: %s %s",
            request_id,
            request.method,
            told.template,
            exc_info=error,
            extra={"request_id": request_id, "principal": told.principal},
        )
    members = {"detail": kind.says, "request_id": request_id, **members}
    problem = Problem(type=kind.type, title=kind.title, status=kind.status, **members)
    return Answer(
        msgspec.json.encode(problem),
        status=kind.status,
        media_type=PROBLEM,
        headers={"Cache-Control": "no-store", "X-Request-ID": request_id, **applied(request), **headers},
        # A line of its own (RFC 9110 section 5.3): some programs read only the first challenge of a line.
        also=(("WWW-Authenticate", BASIC),)
        if kind is kinds.UNAUTHENTICATED and takes_basic(request.scope)
        else (),
    )


def describe(error: Exception) -> tuple[Kind, Members, Mapping[str, str]]:
    """Return the kind of problem an error is, the members it fills in and the headers it needs."""
    if isinstance(error, InBatch):
        kind, members, headers = describe(error.refusal)
        faults = members.get("errors") or (Fault(pointer="", detail=error.refusal.detail),)
        at = f"/{error.refusal.index}"
        located = tuple(Fault(pointer=f"{at}{fault.pointer}", detail=fault.detail) for fault in faults)
        return kind, {**members, "detail": error.detail, "errors": located}, headers
    for type_, kind, members_of in KIND_OF:
        if isinstance(error, type_):
            return kind, {"detail": str(error), **members_of(error)}, _headers(error)
    if isinstance(error, HTTPException):
        return _of_litestar(error)
    return kinds.INTERNAL, {}, {}


def _headers(error: Exception) -> Mapping[str, str]:
    if isinstance(error, Unavailable):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, TooOften):
        return {"Retry-After": "1"}
    if isinstance(error, TooManyRequests):
        return error.headers
    if isinstance(error, Behind):
        return {"Retry-After": "1", "Registry-Position": str(error.position)}
    if isinstance(error, NotAcceptable):
        return {"Vary": "Accept"}
    if isinstance(error, Unauthenticated | Forbidden):
        return {"WWW-Authenticate": error.challenge}
    return {}


def _flaws(error: Malformed | Invalid) -> Members:
    told = error.flaws[:MAX_FLAWS]  # also of what is JSON
    return {"errors": tuple(Fault(pointer=flaw.pointer, detail=flaw.detail) for flaw in told)}


def _rejected(error: Rejected) -> Members:
    members: Members = {"rule": error.rule, "positions": error.positions}
    if error.pointer:
        members["errors"] = (Fault(pointer=f"/data{error.pointer}", detail=error.detail),)
    return members


def _not_permitted(error: NotPermitted) -> Members:
    return {"rule": error.rule, "errors": (Fault(pointer=error.pointer, detail=error.detail),)}


def _identity_taken(error: IdentityTaken) -> Members:
    return {} if error.position is None else {"positions": (error.position,)}


def _nothing(_: Exception) -> Members:
    return {}


KIND_OF: tuple[tuple[type[RegistryError], Kind, Callable[[Any], Members]], ...] = (
    (BadParameter, kinds.MALFORMED, lambda e: {"errors": (Fault(parameter=e.parameter, detail=e.reason),)}),
    (BadHeader, kinds.MALFORMED, lambda e: {"errors": (Fault(header=e.header, detail=e.reason),)}),
    (Malformed, kinds.MALFORMED, _flaws),
    (Unauthenticated, kinds.UNAUTHENTICATED, _nothing),
    (Forbidden, kinds.FORBIDDEN, _nothing),
    (CrossSite, kinds.CROSS_SITE, _nothing),
    (NotFound, kinds.NOT_FOUND, _nothing),
    (NotAcceptable, kinds.NOT_ACCEPTABLE, _nothing),
    (Rejected, kinds.REJECTED, _rejected),
    (NotPermitted, kinds.NOT_PERMITTED, _not_permitted),
    (IdentityTaken, kinds.IDENTITY_TAKEN, _identity_taken),
    (VersionMismatch, kinds.VERSION_MISMATCH, lambda e: {"current_version": e.current}),
    (TooLarge, kinds.TOO_LARGE, _nothing),
    (TooLong, kinds.LINE_TOO_LONG, _nothing),
    (UnsupportedMediaType, kinds.UNSUPPORTED_MEDIA_TYPE, _nothing),
    (Invalid, kinds.INVALID, _flaws),
    (NotSigned, kinds.NOT_SIGNED, _nothing),
    (NotExtending, kinds.NOT_EXTENDING, _nothing),
    (TooOften, kinds.TOO_OFTEN, _nothing),
    (TooManyRequests, kinds.TOO_OFTEN, _nothing),
    (NotReady, kinds.UNAVAILABLE, lambda e: {"checks": e.checks}),
    (Unavailable, kinds.UNAVAILABLE, _nothing),
    (Behind, kinds.BEHIND, lambda e: {"position": e.position}),
)
"""What each error of the domain is over HTTP, the narrower before the wider. Any other is an internal one."""


def _of_litestar(error: HTTPException) -> tuple[Kind, Members, Mapping[str, str]]:
    """Map what the framework refuses before a handler sees it; its own words stay out of the answer."""
    status = error.status_code
    if status == HTTPStatus.NOT_FOUND:
        return kinds.NOT_FOUND, {"detail": "there is no such resource"}, {}
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("allow", "")
        return kinds.METHOD_NOT_ALLOWED, {"detail": f"the resource takes {allowed}"}, {"Allow": allowed}
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return kinds.MALFORMED, {"detail": "the request cannot be read"}, {}
    return kinds.INTERNAL, {}, {}
