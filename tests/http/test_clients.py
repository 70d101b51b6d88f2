"""From where a request comes."""

from ipaddress import ip_network

import pytest

from registry.http.clients import UNKNOWN, Clients, as_site


def said(peer: str | None, *forwarded: str) -> dict[str, object]:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return {"client": (peer, 4711) if peer else None, "headers": headers}


@pytest.fixture
def clients() -> Clients:
    return Clients([ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48")])


def test_without_a_proxy_that_is_believed_it_is_that_of_the_socket() -> None:
    assert Clients().address(said("192.0.2.1", "198.51.100.7")) == "192.0.2.1"


def test_of_another_peer_nothing_is_believed(clients: Clients) -> None:
    assert clients.address(said("192.0.2.1", "198.51.100.7")) == "192.0.2.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (("198.51.100.7",), "198.51.100.7"),
        (("203.0.113.9, 198.51.100.7",), "198.51.100.7"),
        (("203.0.113.9, 198.51.100.7, 10.1.1.1",), "198.51.100.7"),
        (("203.0.113.9", "198.51.100.7"), "198.51.100.7"),
        (("198.51.100.7:4711",), "198.51.100.7"),
        (("[2001:db8:2::1]:4711",), "2001:db8:2::/64"),
        (("2001:db8:2:3:4:5:6:7",), "2001:db8:2:3::/64"),
        (("10.2.2.2",), "10.2.2.2"),
        ((), "10.0.0.1"),
        (("",), "10.0.0.1"),
        (("unknown",), "10.0.0.1"),
        (("198.51.100.7, nonsense, 10.1.1.1",), "10.1.1.1"),
    ],
)
def test_behind_a_proxy_it_is_the_last_one_that_is_no_proxy(
    clients: Clients, forwarded: tuple[str, ...], address: str
) -> None:
    assert clients.address(said("10.0.0.1", *forwarded)) == address


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", UNKNOWN),
        ("a socket of the file system", UNKNOWN),
    ],
)
def test_an_address_is_counted_with_the_site_it_is_of(address: str, site: str) -> None:
    assert as_site(address) == site


def test_a_client_without_an_address_is_counted_with_all_such() -> None:
    assert Clients().address(said(None)) == UNKNOWN
