"""The issuer of tokens: the keys with which it signs them, fetched from it and nowhere else.

OpenID Connect Discovery 1.0 section 4 and RFC 7517. One URL is configured; another is never asked, no redirect is
followed, and no answer is read beyond its limit, so that nothing a token says can send this service anywhere.
"""

import asyncio
import logging
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import msgspec

from registry.errors import Unavailable

log = logging.getLogger(__name__)

FRESH = 600.0
"""Seconds after which keys in use are fetched again, beside what is being answered."""
STALE = 3600.0
"""Seconds after which no token is believed before its issuer has been asked again."""
APART = 10.0
"""Seconds between two fetches, whatever key ids tokens name."""
MOST_BYTES = 1 << 18
TIMEOUT = httpx.Timeout(5.0)
LEAST_RSA_BITS = 2048

ALGORITHMS = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""The algorithms that are taken, each with the type and curve of its keys: a public key verifies, and no other."""


class Issuer:
    """Knows the keys of one issuer. Belongs to the event loop."""

    def __init__(self, url: str, jwks_url: str = "") -> None:
        self.url = url
        self._jwks_url = jwks_url
        self._keys: list[dict[str, Any]] = []
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def key(self, algorithm: str, id: str | None) -> jwt.PyJWK | None:
        """Find the key for a token, by the algorithm and the key id that it names.

        A key id that is not known is asked for once, as the issuer may have changed its keys. Raises Unavailable
        when the issuer cannot be asked and has not been for an hour.
        """
        age = None if self._fetched_at is None else time.monotonic() - self._fetched_at
        if age is None or age > STALE:
            if not await self._fetch():
                raise Unavailable("the issuer of tokens cannot be asked for its keys", retry_after=10)
        elif age > FRESH:
            self._begin()
        found = self._find(algorithm, id)
        if found is None and id is not None and not self._has(id) and await self._fetch():
            found = self._find(algorithm, id)
        return found

    def _has(self, id: str) -> bool:
        return any(key.get("kid") == id for key in self._keys)

    def _find(self, algorithm: str, id: str | None) -> jwt.PyJWK | None:
        """Find the one key that fits; of several without an id there is none."""
        type_, curve = ALGORITHMS[algorithm]
        fitting = [
            key
            for key in self._keys
            if (id is None or key.get("kid") == id)
            and (key.get("kty"), key.get("crv")) == (type_, curve)
            and key.get("use", "sig") == "sig"
            and key.get("alg", algorithm) == algorithm
        ]
        if len(fitting) != 1:
            return None
        try:
            key = jwt.PyJWK(fitting[0], algorithm)
        except jwt.PyJWTError:
            log.warning("a key of the issuer of tokens cannot be used")
            return None
        return None if type_ == "RSA" and key.key.key_size < LEAST_RSA_BITS else key

    async def _fetch(self) -> bool:
        """Fetch the keys; whoever waits for them shares one fetch. Tells whether that was possible."""
        before = self._fetched_at
        self._begin()
        if self._fetching is None:
            return False
        await asyncio.shield(self._fetching)
        return self._fetched_at != before

    def _begin(self) -> None:
        """Begin to fetch the keys, unless that was tried a moment ago."""
        if self._fetching is not None and not self._fetching.done():
            return
        if self._tried_at is not None and time.monotonic() - self._tried_at < APART:
            self._fetching = None
            return
        self._tried_at = time.monotonic()
        self._fetching = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as client:
                document = await _get(client, self._jwks_url or await self._discover(client))
            self._keys = msgspec.convert(document.get("keys"), list[dict[str, Any]])
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # those of msgspec are ValueErrors
            log.warning(
                "the keys of the issuer of tokens cannot be had: %s", str(error) or type(error).__name__
            )
            return
        self._fetched_at = time.monotonic()

    async def _discover(self, client: httpx.AsyncClient) -> str:
        """Ask the issuer where its keys are. Raises ValueError when it is another, or they are elsewhere."""
        said = await _get(client, self.url.rstrip("/") + "/.well-known/openid-configuration")
        if said.get("issuer") != self.url:
            raise ValueError("it calls itself by another name than REGISTRY_OIDC_ISSUER")
        where = said.get("jwks_uri")
        if not isinstance(where, str) or origin_of(where) != origin_of(self.url):
            raise ValueError(
                "its keys are elsewhere; if that is right, name the place in REGISTRY_OIDC_JWKS_URL"
            )
        return where


def origin_of(url: str) -> tuple[str, str]:
    """Give scheme and host, with the port, of a URL."""
    split = urlsplit(url)
    return split.scheme, split.netloc


async def _get(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Get a JSON object. Raises httpx.HTTPError, msgspec.DecodeError or ValueError."""
    body = b""
    async with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"{url} answers {response.status_code}")
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise ValueError(f"{url} answers with more than {MOST_BYTES:,} bytes")
    document = msgspec.json.decode(body)
    if not isinstance(document, dict):
        raise ValueError(f"{url} answers with no JSON object")  # noqa: TRY004 - of what is fetched
    return document
