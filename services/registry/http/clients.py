"""From where a request comes: the address that counts when nobody known is asking."""

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Network = IPv4Network | IPv6Network

ONE_SITE = 64
"""Bits of an IPv6 address that tell one site: whoever has one address has all that begin so (RFC 6177)."""
UNKNOWN = "unknown"
"""Stands for the address of a client whose socket has none, such as one of the file system."""


class Clients:
    """Knows addresses of clients, and which proxies speak for others."""

    def __init__(self, proxies: Collection[Network] = ()) -> None:
        self._proxies = tuple(proxies)

    def address(self, scope: Any) -> str:
        """Tell the address of whoever has sent a request, of IPv6 the first 64 bits; ``scope`` is that of ASGI.

        It is that of the socket. Where a trusted proxy is at the other end, it is the last one in
        ``X-Forwarded-For`` that no trusted proxy has: what stands before it, anybody may have written.
        """
        client = scope.get("client")
        peer: str = client[0] if client else ""
        if not self._proxies or not self.trusts(peer):
            return as_site(peer)
        said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        found = peer
        for each in reversed(said.decode("latin-1").split(",")):
            address = _without_port(each.strip())
            if as_site(address) == UNKNOWN:
                break
            found = address
            if not self.trusts(address):
                break
        return as_site(found)

    def trusts(self, address: str) -> bool:
        """Tell whether an address is that of a proxy that is believed."""
        parsed = parse(address)
        return parsed is not None and any(parsed in network for network in self._proxies)


@lru_cache(maxsize=4096)
def as_site(address: str) -> str:
    """Write an address as it is counted: IPv4 whole, of IPv6 what tells one site."""
    parsed = parse(address)
    if parsed is None:
        return UNKNOWN
    if parsed.version == 4:  # noqa: PLR2004 - of the protocol
        return str(parsed)
    return str(IPv6Network((parsed, ONE_SITE), strict=False))


def parse(address: str) -> IPv4Address | IPv6Address | None:
    """Read an address; one of IPv4 that is written as IPv6 (RFC 4291 section 2.5.5.2) is one of IPv4."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if parsed.version == 6 else parsed  # noqa: PLR2004 - of the protocol


def _without_port(text: str) -> str:
    """Take an address out of what some proxies write: ``192.0.2.1:4711`` and ``[2001:db8::1]:4711``."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
