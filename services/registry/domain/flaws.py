"""What is wrong with a body and where, for the person who posted it: msgspec's messages in our words."""

import re
from typing import Any

import msgspec

from registry.domain.events.event import Event
from registry.domain.pointers import Tokens, pointer, value_at
from registry.domain.shapes import allowed_at
from registry.domain.values import IN_WORDS, Tag, Text
from registry.errors import Flaw

_PATH = re.compile(r"(?s)(?P<reason>.*) - at `(?P<key>key` in `)?\$(?P<path>[^`]*)`")
_STEP = re.compile(r"\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\[(?P<index>[0-9]+)\]|(?P<any>\[\.\.\.\])")
_UNKNOWN_FIELD = re.compile(r"(?s)Object contains unknown field `(?P<name>.*)`")
_MISSING_FIELD = re.compile(r"Object missing required field `(?P<name>.*)`")
_BAD_WORD = re.compile(r"(?s)Invalid enum value (?P<word>.*)")
_OF_PATTERN = {f"Expected `str` matching regex {pattern!r}": words for pattern, words in IN_WORDS.items()}
_JSON_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_MOST_WORDS = 12


def flaw_of(error: msgspec.ValidationError, cls: type[Event], body: Any) -> Flaw:
    """Turn msgspec's message into a pointer into the body and a sentence."""
    message = str(error)
    at: Tokens = ()
    if found := _PATH.fullmatch(message):
        message = found["reason"]
        at = _place(found["path"], body)
        if found["key"]:
            at = (*at, _first_bad(value_at(body, at), keys=True))
    if unknown := _UNKNOWN_FIELD.fullmatch(message):
        return Flaw(pointer((*at, unknown["name"])), f"there is no field {unknown['name']!r} here")
    if missing := _MISSING_FIELD.fullmatch(message):
        return Flaw(pointer((*at, missing["name"])), f"the field {missing['name']!r} is required")
    if word := _BAD_WORD.fullmatch(message):
        return Flaw(pointer(at), _bad_word(word["word"], allowed_at(cls, at)))
    return Flaw(pointer(at), _sentence(message))


def _place(path: str, body: Any) -> Tokens:
    """Read msgspec's path. It writes ``[...]`` for a value of a map; the body then tells which."""
    at: Tokens = ()
    for step in _STEP.finditer(path):
        if step["name"] is not None:
            at = (*at, step["name"])
        elif step["index"] is not None:
            at = (*at, int(step["index"]))
        else:
            at = (*at, _first_bad(value_at(body, at), keys=False))
    return at


def _first_bad(texts: dict[str, Any], *, keys: bool) -> str:
    """Find the entry of a text in several languages that msgspec refused: it stops at the first."""
    kind = Tag if keys else Text
    return next(tag for tag, text in texts.items() if not _fits(tag if keys else text, kind))


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _bad_word(word: str, allowed: tuple[str, ...]) -> str:
    if not 0 < len(allowed) <= _MOST_WORDS:
        return f"{word} is not one of the codes this field may have"
    return f"{word} is not one of {', '.join(sorted(allowed))}"


def _sentence(message: str) -> str:
    if message in _OF_PATTERN:
        return f"expected {_OF_PATTERN[message]}"
    message = message.replace(" | null", "").replace("Expected", "expected", 1)
    return re.sub(r"`(\w+)`", lambda kind: _JSON_WORDS.get(kind[1], kind[0]), message)
