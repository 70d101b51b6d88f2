"""Sessions of the pages: whoever signs in with a key is known by a cookie from then on.

The cookie is out of reach of scripts and is not sent with what other sites start (``HttpOnly``, ``SameSite=Strict``);
what changes something must come from a page of the registry besides. A session ends with its key.
"""

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import msgspec

from registry.access import Principal
from registry.errors import Unavailable
from registry.http.answer import Asked
from registry.http.credentials import CrossSite, cookie_of
from registry.http.keys import KeyRing
from registry.http.threads import in_thread
from registry.store.page_sessions import LONGEST, PageSessions, Session

PLAIN = "registry_session"
SECURE = "__Host-registry_session"
"""Over https: a browser takes a cookie of such a name from this very host alone (RFC 6265bis)."""
NAMES = (SECURE, PLAIN)
SAFE = ("GET", "HEAD", "OPTIONS")
COOKIE_LENGTH = 43

FRESH = 1.0
"""Seconds for which a session is believed to be there without a look."""
MOST_KNOWN = 1000
"""Sessions that are remembered; what is no session is never remembered."""


class Sessions:
    """Knows who has signed in. Belongs to the event loop.

    Sessions are looked up in a thread of their own, so that false cookies wait for each other and nobody else does.
    """

    def __init__(self, rows: PageSessions, keys: KeyRing) -> None:
        self._rows = rows
        self._keys = keys
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sessions")
        self._known: OrderedDict[bytes, tuple[Session, float]] = OrderedDict()
        self._notes: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Let go of the thread."""
        await asyncio.gather(*self._notes, return_exceptions=True)
        self._thread.shutdown()

    async def who(self, scope: Any, *, used: bool = True) -> Principal | None:
        """Tell who has signed in, by the cookie of a request; None for nobody, or when the session is over.

        ``scope`` is that of ASGI; ``used`` says whether this is a use of the session, which keeps it from ending.
        Raises CrossSite when another site's page has sent it, and Unavailable.
        """
        cookie = cookie_of(scope, NAMES)
        if cookie is None or len(cookie) != COOKIE_LENGTH:
            return None
        session = await self._session(cookie, used=used)
        key = None if session is None else await self._keys.by_id(session.key_id)
        if key is None:
            return None
        if scope["method"] not in SAFE and not is_from_here(scope):
            raise CrossSite(
                "the request carries the cookie of a session and does not come from a page of this registry"
            )
        return key.principal

    async def begin(self, key: str) -> str:
        """Sign in with a key. Returns the value of the cookie. Raises Unauthenticated or Unavailable."""
        found = await self._keys.find(key.strip().encode("utf-8", "replace"))
        return await in_thread(self._rows.open_one, found.id)

    async def end(self, cookie: str) -> None:
        """Sign out. Raises Unavailable."""
        self._known.pop(sha256(cookie.encode()).digest(), None)
        await in_thread(self._rows.close, cookie)

    async def _session(self, cookie: str, *, used: bool) -> Session | None:
        digest = sha256(cookie.encode()).digest()
        session, until = self._known.get(digest, (None, 0.0))
        if session is None or time.monotonic() >= until or time.time() >= session.until:
            session = await asyncio.get_running_loop().run_in_executor(self._thread, self._rows.find, cookie)
            until = time.monotonic() + FRESH
        if session is None:
            self._known.pop(digest, None)
            return None
        if session.stale and used:
            session = msgspec.structs.replace(session, stale=False)
            note = asyncio.create_task(self._note(cookie))
            self._notes.add(note)
            note.add_done_callback(self._notes.discard)
        self._known[digest] = session, until
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return session

    async def _note(self, cookie: str) -> None:
        try:
            await in_thread(self._rows.note_used, cookie)
        except Unavailable:
            return  # the next use is written down instead


async def open_session(request: Asked, key: str) -> str:
    """Sign in with a key. Returns the value of ``Set-Cookie``. Raises Unauthenticated or Unavailable."""
    cookie = await _sessions(request).begin(key)
    return _set_cookie(request, cookie, LONGEST)


async def close_session(request: Asked) -> str:
    """Sign out. Returns the value of ``Set-Cookie``, which takes the cookie away. Raises Unavailable."""
    cookie = cookie_of(request.scope, NAMES)
    if cookie is not None:
        await _sessions(request).end(cookie)
    return _set_cookie(request, "", 0)


def is_from_here(scope: Any) -> bool:
    """Tell whether a page of this registry has sent a request, as the browser says.

    ``Sec-Fetch-Site`` where there is one (browsers send it over https and to this machine), else ``Origin``, whose
    host must be the one that was asked. A browser that says neither is not believed.
    """
    said: dict[bytes, bytes] = {
        name: value for name, value in scope["headers"] if name in (b"sec-fetch-site", b"origin", b"host")
    }
    if (site := said.get(b"sec-fetch-site")) is not None:
        return site == b"same-origin"
    try:
        host = urlsplit(said.get(b"origin", b"").decode("ascii")).netloc
    except ValueError:  # not ASCII, or no URL
        return False
    asked = said.get(b"host", b"").decode("latin-1")
    return host != "" and host == asked


def is_https(scope: Any) -> bool:
    """Tell whether the browser speaks https, to this process or to the proxy before it.

    Anybody may say so of their own request: then their own cookie is one that is sent over https alone.
    """
    return scope["scheme"] == "https" or (b"x-forwarded-proto", b"https") in scope["headers"]


def _set_cookie(request: Asked, value: str, seconds: int) -> str:
    secure = is_https(request.scope)
    name, more = (SECURE, "; Secure") if secure else (PLAIN, "")
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{more}"


def _sessions(request: Asked) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions
