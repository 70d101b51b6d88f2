"""Places in a JSON document: pointers (RFC 6901) and the token tuples they stand for."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

Tokens = tuple[str | int, ...]
"""A place as names and list indexes; places in one document sort in the order of its canonical form."""


def pointer(tokens: Sequence[str | int]) -> str:
    """Write a place as a JSON pointer; the whole document is the empty string."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def tokens_of(text: str, document: Any) -> Tokens:
    """Read a JSON pointer against a document, which tells the indexes of lists from names.

    Raises KeyError or IndexError when the document has no such place.
    """
    tokens: list[str | int] = []
    for written in text.split("/")[1:]:
        name = written.replace("~1", "/").replace("~0", "~")
        token = int(name) if isinstance(document, list) else name
        document = document[token]
        tokens.append(token)
    return tuple(tokens)


def value_at(document: Any, tokens: Sequence[str | int]) -> Any:
    """Give the value at a place. Raises KeyError or IndexError when there is none."""
    for token in tokens:
        document = document[token]
    return document


def put(document: Any, tokens: Sequence[str | int], value: Any) -> None:
    """Set the value at a place that is not the whole, in place."""
    value_at(document, tokens[:-1])[tokens[-1]] = value


def expand(document: Any, path: str, at: Tokens = ()) -> list[tuple[Tokens, Any]]:
    """Give (place, value) for every place that a path such as ``signatures/*/party`` names."""
    found = [(at, document)]
    for name in _names(path):
        if name == "*":
            found = [((*place, i), element) for place, value in found for i, element in enumerate(value)]
        else:
            found = [((*place, name), value[name]) for place, value in found if name in value]
    return found


@lru_cache(maxsize=256)  # event types declare few paths
def _names(path: str) -> tuple[str, ...]:
    return tuple(path.split("/")) if path else ()


def leaves(document: Any, at: Tokens = ()) -> Iterator[tuple[Tokens, Any]]:
    """Yield (place, value) for every value that is neither object nor array, in the document's order."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from leaves(value, (*at, name))
    elif isinstance(document, list):
        for i, element in enumerate(document):
            yield from leaves(element, (*at, i))
    else:
        yield at, document
