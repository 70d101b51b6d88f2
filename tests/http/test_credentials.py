"""What ``Authorization`` says, byte by byte."""

from base64 import b64encode

import pytest

from registry.http.credentials import (
    MOST_BYTES,
    Unauthenticated,
    is_basic,
    password_of,
    said_by,
    token_of,
)

KEY = b"agr_0123456789abcdef_key"


def basic(plain: bytes, scheme: bytes = b"Basic ") -> bytes:
    return scheme + b64encode(plain)


@pytest.mark.parametrize(
    "plain",
    [
        b":" + KEY,
        b"anybody:" + KEY,
        "Zo\u00eb \U0001f4c5:".encode() + KEY,
        b"\xff\xfe:" + KEY,  # as a program writes it that knows nothing of UTF-8
        b"a" * 4000 + b":" + KEY,
    ],
)
def test_whatever_name_is_before_it_the_password_is_found(plain: bytes) -> None:
    assert password_of(basic(plain)) == KEY


@pytest.mark.parametrize("scheme", [b"Basic ", b"basic ", b"BASIC   "])
def test_the_scheme_is_read_whatever_its_capitals_and_blanks(scheme: bytes) -> None:
    said = basic(b":" + KEY, scheme) + b" \t"
    assert is_basic(said)
    assert password_of(said) == KEY


def test_what_is_behind_the_first_colon_is_the_password() -> None:
    assert password_of(basic(b"a:b:c")) == b"b:c"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"Basic", "not of the form"),
        (b"Basic ", "not of the form"),
        (b"Basic\t" + b64encode(b"a:b"), "not of the form"),
        (b"Basic a:b", "not of the form"),
        (b"Basic YTpi YTpi", "not of the form"),
        (b"Basic YTpi, Basic YTpi", "not of the form"),
        (b"Basic YTpi, Bearer x", "not of the form"),
        (b"Basic YTpiYw", "not of the form"),  # without its padding
        (b"Basic YTpiYw=", "not of the form"),
        (b"Basic YTpiYw===", "not of the form"),
        (b"Basic YTpiYx==", "not of the form"),  # bits are left over
        (b"Basic YTpi====", "not of the form"),
        (b"Basic ====", "not of the form"),
        (b"Basic YTp_", "not of the form"),  # of another alphabet
        (b"Basic YTpi\n", "not of the form"),
        (b"Basic YTpi\xe9", "not of the form"),
        (basic(b"no colon"), "no colon"),
        (basic(b":"), "empty"),
        (basic(b"anybody:"), "empty"),
        (basic(b"any\nbody:" + KEY), "control character"),
        (basic(b"anybody:" + KEY + b"\r\n"), "control character"),
        (basic(b"\x00:" + KEY), "control character"),
        (basic(b":" + KEY + b"\x7f"), "control character"),
    ],
)
def test_what_is_not_exactly_a_name_and_a_password_is_refused_and_not_repeated(said: bytes, why: str) -> None:
    assert is_basic(said) or said.startswith(b"Basic\t")
    with pytest.raises(Unauthenticated, match=why) as refused:
        password_of(said)
    assert 'error="invalid_token"' in refused.value.challenge
    assert said[6:].decode("latin-1") not in str(refused.value) or len(said) <= 6


@pytest.mark.parametrize("said", [b"Bearer x", b"Basically x", b"Bas", b"", b"YTpi"])
def test_another_scheme_is_not_taken_for_it(said: bytes) -> None:
    assert not is_basic(said)


def test_the_header_is_taken_once_and_to_its_limit() -> None:
    def asked(*said: bytes) -> dict[str, object]:
        return {"headers": [(b"authorization", one) for one in said]}

    assert said_by(asked()) is None
    longest = b"Bearer ".ljust(MOST_BYTES, b"x")
    assert said_by(asked(longest)) == longest
    assert token_of(longest) == longest[7:]
    with pytest.raises(Unauthenticated, match="over 8192 bytes"):
        said_by(asked(longest + b"x"))
    with pytest.raises(Unauthenticated, match="twice"):
        said_by(asked(b"Bearer x", b"Basic YTpi"))
