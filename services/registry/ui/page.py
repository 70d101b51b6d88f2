"""Pages: how one is declared, in which language and theme it is shown, and how it is answered."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec
from litestar import Request, Response
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

from registry.access import Principal
from registry.http.access import needed
from registry.http.answer import HTML, OPEN, Answer, Asked, digest, fresh_or_304
from registry.http.freshness import Source
from registry.http.parameters import READS, BadParameter, pairs, query
from registry.http.principal import NEEDS, CrossSite, Unauthenticated, let_in, principal_of
from registry.http.problems import Problem, answer_problem
from registry.http.reasons import ReasonRequired
from registry.http.routing import OPERATION, Operation, before_read
from registry.http.sessions import is_from_here
from registry.ui.accepted import accepts_html
from registry.ui.either import SHOWN_AS
from registry.ui.language import Language, languages, negotiated

PAGE = "page"
"""The option of a route that says that it is a page."""

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")
CHOICES = ("lang", "theme")
"""Parameters that every page takes: what is chosen by one of them is kept in a cookie of the same name."""
YEAR = 31_536_000

SECURITY: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Not no-referrer: then a browser would send `Origin: null` with the forms of these very pages.
    "Referrer-Policy": "same-origin",
}
VARIES = "Accept-Language, Cookie"


def with_query(path: str, /, **asked: Any) -> str:
    """Add parameters to a path; those that are None are left out."""
    given = {name: value for name, value in asked.items() if value is not None}
    return path + (f"?{urlencode(given)}" if given else "")


class Setting(msgspec.Struct, frozen=True):
    """How a page is shown to this reader, whatever the page is."""

    language: Language
    theme: Theme
    path: str
    asked: Mapping[str, str]
    """The parameters of the request, without the choices."""
    chosen: Mapping[str, str]
    """What the request chooses, to be kept."""
    principal: Principal | None
    """Who reads; None when nobody knows."""

    def may(self, scope: str) -> bool:
        """Tell whether whoever reads holds a scope."""
        return self.principal is not None and self.principal.may(scope)

    def here(self, **changed: str | None) -> str:
        """Make the URL of this very page with other parameters; None leaves one out."""
        return with_query(self.path, **{**self.asked, **changed})


def page(
    path: str, *, reads: tuple[Source, ...] = (), operation: Operation | None = None
) -> Callable[[Any], HTTPRouteHandler]:
    """Declare a page: GET and HEAD. Who may see it is in the table of ``http/access.py``.

    ``reads`` is what ``min_position`` is about. A page is no part of the API and so has no ``operation``, unless
    programs get something else under its path.
    """
    return HTTPRouteHandler(
        path,
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        status_code=200,
        before_request=before_read,
        exception_handlers={Exception: answer_error},
        opt={NEEDS: needed("GET", path), OPEN: False, READS: reads, PAGE: True}
        | ({} if operation is None else {OPERATION: operation}),
    )


def form(path: str) -> Callable[[Any], HTTPRouteHandler]:
    """Declare what a form of a page is posted to. Who may is in the table of ``http/access.py``.

    Whatever asks: it must come from a page of this registry, so that no other site can make a browser post it.
    """
    return HTTPRouteHandler(
        path,
        http_method=HttpMethod.POST,
        status_code=200,
        before_request=before_form,
        exception_handlers={Exception: answer_error},
        opt={NEEDS: needed("POST", path), OPEN: False, PAGE: True},
    )


async def before_form(request: Asked) -> None:
    """Stand before every form: let the request in, if it is one of our pages that sends it. Raises CrossSite."""
    await let_in(request)
    if not is_from_here(request.scope):
        raise CrossSite("the form was not sent by a page of this registry")


def asked_of(request: Asked, *known: str) -> dict[str, str]:
    """Read the query string of a page: the parameters it knows, without those that are left empty.

    Forms send empty fields, so these count as not given. Raises BadParameter, also for an unknown choice.
    """
    given = query(request, *known, *CHOICES)
    for name, allowed in (("lang", tuple(languages())), ("theme", THEMES)):
        if name in given and given[name] not in allowed:
            raise BadParameter(name, f"is not one of {', '.join(allowed)}")
    return {name: value for name, value in given.items() if name in known and value}


def setting_of(request: Request[Any, Any, Any]) -> Setting:
    """Find out how this reader is to be shown pages: by what is asked now, kept in cookies, or sent by the browser."""
    try:
        given = pairs(request)
    except BadParameter:
        given = {}
    known = languages()
    chosen = {
        name: given[name]
        for name, allowed in (("lang", tuple(known)), ("theme", THEMES))
        if given.get(name) in allowed
    }
    lang = chosen.get("lang") or request.cookies.get("lang", "")
    theme = chosen.get("theme") or request.cookies.get("theme", "")
    return Setting(
        language=known.get(lang) or negotiated(request.headers.get("accept-language", "")),
        theme=next((each for each in THEMES if each == theme), "auto"),
        path=quote(SHOWN_AS.get(request.scope["path"], request.scope["path"])),
        asked={name: value for name, value in given.items() if name not in CHOICES},
        chosen=chosen,
        principal=asking(request),
    )


def asking(request: Request[Any, Any, Any]) -> Principal | None:
    """Tell who is asking; None when nobody known is."""
    try:
        return principal_of(request)
    except Unauthenticated:
        return None


def _rendered(template: str, setting: Setting, **shown: Any) -> bytes:
    from registry.ui.render import render  # the first page loads what makes pages, not the start

    return render(template, setting, **shown).encode()


def answer_page(
    request: Asked, template: str, *, headers: Mapping[str, str] | None = None, **shown: Any
) -> Response[Any]:
    """Answer with a page, or with 304 for a browser that has it already."""
    setting = setting_of(request)
    content = _rendered(template, setting, **shown)
    kept = {**SECURITY, "Vary": VARIES, **_cookie(setting), **(headers or {})}
    return fresh_or_304(request, content, etag=digest(content), media_type=HTML, headers=kept)


def show(
    request: Asked,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **shown: Any,
) -> Response[Any]:
    """Answer with a page that nobody keeps: what a form led to, or what is different each time."""
    setting = setting_of(request)
    content = _rendered(template, setting, **shown)
    every = {**SECURITY, "Vary": VARIES, "Cache-Control": "no-store", **_cookie(setting), **(headers or {})}
    return Answer(content, status=status, media_type=HTML, headers=every)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer with what went wrong: as a page for a browser, as a problem for a program.

    A browser that nobody knows is led to where it can say who is asking.
    """
    answered = answer_problem(request, error)
    if not accepts_html(request.headers.get("accept", "")):
        return answered
    if isinstance(error, Unauthenticated) and request.method in ("GET", "HEAD"):
        return see_other(sign_in_url(request))
    problem = msgspec.json.decode(answered.content, type=Problem)
    setting = setting_of(request)
    content = _rendered(
        "reason.html" if isinstance(error, ReasonRequired) else "error.html",
        setting,
        problem=problem,
        kind=problem.type.rpartition("/")[2],
    )
    headers = {**answered.headers, **SECURITY, "Vary": f"Accept, {VARIES}", **_cookie(setting)}
    return Answer(content, status=problem.status, media_type=HTML, headers=headers)


def see_other(url: str, *, kept: Sequence[str] = ()) -> Response[Any]:
    """Lead to another page (303); ``kept`` are values of ``Set-Cookie``."""
    headers = {"Location": url, "Cache-Control": "no-store", "Vary": "Accept, Cookie"}
    return Answer(b"", status=303, media_type=HTML, headers=headers, kept=kept)


def sign_in_url(request: Request[Any, Any, Any]) -> str:
    """Make the URL where a reader signs in, and from where it comes back to what was asked."""
    path = quote(SHOWN_AS.get(request.scope["path"], request.scope["path"]))
    asked = request.scope["query_string"].decode("latin-1")
    return "/sign-in?" + urlencode({"next": path + (f"?{asked}" if asked else "")})


def _cookie(setting: Setting) -> dict[str, str]:
    """Keep one choice. A second one in the same request is shown and not kept: a header has one value here."""
    for name, value in setting.chosen.items():
        age = 0 if value == "auto" else YEAR
        return {"Set-Cookie": f"{name}={value}; Path=/; Max-Age={age}; SameSite=Lax; HttpOnly"}
    return {}
