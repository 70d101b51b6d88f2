"""How an API key is written."""

import re
from hashlib import sha256

from registry.store.key_text import ALPHABET, PREFIX, SECRET_LENGTH, hashed, id_of, new_key


def test_a_key_says_its_id_and_no_two_are_alike() -> None:
    made = [new_key() for _ in range(100)]
    assert len({text for _, text in made}) == len({id for id, _ in made}) == 100
    for id, text in made:
        assert text.startswith(f"{PREFIX}{id}_")
        assert id_of(text) == id


def test_the_secret_has_256_bits() -> None:
    assert len(ALPHABET) ** SECRET_LENGTH > 2**256
    assert len(set(ALPHABET)) == 62
    assert re.fullmatch(r"agr_[0-9a-f]{16}_[0-9A-Za-z]{49}", new_key()[1])


def test_every_single_typing_error_is_told_by_the_checksum() -> None:
    _, text = new_key()
    for place in range(len(text)):
        other = "b" if text[place] == "a" else "a"
        assert id_of(text[:place] + other + text[place + 1 :]) is None
        assert id_of(text[:place] + text[place + 1 :]) is None
    swapped = text[:30] + text[31] + text[30] + text[32:]
    assert text[30] == text[31] or id_of(swapped) is None


def test_other_texts_are_no_keys() -> None:
    _, text = new_key()
    for other in (
        "",
        "guess",
        text + "\n",
        text + "0",
        " " + text,
        text.upper(),
        text.replace("agr_", "ghp_"),
    ):
        assert id_of(other) is None


def test_what_is_stored_is_the_sha_256_of_the_whole_key() -> None:
    _, text = new_key()
    assert hashed(text) == sha256(text.encode("ascii")).digest()
