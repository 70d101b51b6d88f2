"""How an API key is written: a fixed prefix, its id, its secret and a checksum.

A scanner of texts finds one by the prefix, and a mistyped one is told from a wrong one without asking anybody.
"""

import re
import secrets
import string
import zlib
from hashlib import sha256

PREFIX = "agr_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_PATTERN = "[0-9a-f]{16}"
SECRET_LENGTH = 43
"""Characters of the secret: 62 ** 43 is more than 2 ** 256."""
CHECK_LENGTH = 6

_KEY = re.compile(rf"{PREFIX}({ID_PATTERN})_[0-9A-Za-z]{{{SECRET_LENGTH + CHECK_LENGTH}}}")


def new_key() -> tuple[str, str]:
    """Make a key. Returns its id, which is no secret, and the key itself."""
    id = secrets.token_hex(8)
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    start = f"{PREFIX}{id}_{secret}"
    return id, start + _checksum(start)


def id_of(text: str) -> str | None:
    """Return the id of a key; None when the text is no key: another form, or mistyped."""
    match = _KEY.fullmatch(text)
    if match is None or _checksum(text[:-CHECK_LENGTH]) != text[-CHECK_LENGTH:]:
        return None
    return match[1]


def hashed(text: str) -> bytes:
    """Give what is stored of a key: the secret is random, so that one round of SHA-256 is enough."""
    return sha256(text.encode()).digest()


def _checksum(text: str) -> str:
    """Write the CRC-32 of the text in base 62. It finds typing errors and is no secret."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
