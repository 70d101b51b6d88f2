"""Languages of the pages: one catalogue file each, and how the one that suits a reader is found."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec
from markupsafe import Markup, escape

DEFAULT = "en"
ARABIC_SCRIPT = frozenset({"ar", "fa", "ur"})
"""Languages that are written from right to left."""

_WEIGHT = re.compile(r"q=(0(\.[0-9]{1,3})?|1(\.0{1,3})?)")


class Language(msgspec.Struct, frozen=True, eq=False):
    """One language, with every text of the pages in it."""

    tag: str
    """BCP 47."""
    texts: Mapping[str, str]
    """By key, such as ``board.title``; a name in braces stands for a value."""

    @property
    def direction(self) -> str:
        """How it is written: ``ltr`` or ``rtl``."""
        return "rtl" if self.tag.partition("-")[0] in ARABIC_SCRIPT else "ltr"

    def text(self, key: str, **values: Any) -> Markup:
        """Give a text as HTML, with values in their places; what is no HTML yet is escaped. Raises KeyError."""
        return escape(self.texts[key]).format(**values)

    def counted(self, key: str, n: int, **values: Any) -> Markup:
        """Give the text for a number of things: ``key.one`` for 1, ``key.other`` for any other; it is ``{n}``."""
        return self.text(f"{key}.{'one' if n == 1 else 'other'}", n=f"{n:,}", **values)

    def word(self, group: str, code: str) -> str:
        """Give the word for a code of the vocabulary, or the code itself, spaced, where there is none."""
        return self.texts.get(f"{group}.{code}") or code.replace("-", " ")


@lru_cache
def languages() -> Mapping[str, Language]:
    """Read every catalogue, by tag; the default comes first, and stands in for a text that another has not."""
    folder = files("registry.ui").joinpath("catalogue")
    names = (each.name for each in folder.iterdir() if each.name.endswith(".toml"))
    tags = sorted((name.removesuffix(".toml") for name in names), key=lambda tag: (tag != DEFAULT, tag))
    texts = {
        tag: dict(_flat(tomllib.loads(folder.joinpath(f"{tag}.toml").read_text("utf-8")))) for tag in tags
    }
    return {tag: Language(tag, {**texts[DEFAULT], **own}) for tag, own in texts.items()}


def negotiated(accept_language: str) -> Language:
    """Choose by ``Accept-Language`` (RFC 9110 section 12.5.4; lookup of RFC 4647 section 3.4)."""
    known = languages()
    for tag in _by_weight(accept_language):
        if tag == "*":
            break
        subtags = tag.split("-")
        for length in range(len(subtags), 0, -1):
            if (found := known.get("-".join(subtags[:length]))) is not None:
                return found
    return known[DEFAULT]


def best(texts: Mapping[str, str], tag: str) -> tuple[str, str]:
    """Choose the tag and the text that suit readers of a language best: theirs, else English, else the first."""
    for wanted in (tag, DEFAULT):
        if wanted in texts:
            return wanted, texts[wanted]
        for given in sorted(texts):
            if given.partition("-")[0] == wanted:
                return given, texts[given]
    first = min(texts)
    return first, texts[first]


def _by_weight(accept_language: str) -> Iterable[str]:
    asked: list[tuple[float, str]] = []
    for each in accept_language[:1000].split(","):
        tag, _, weight = (piece.strip() for piece in each.partition(";"))
        found = _WEIGHT.fullmatch(weight)
        asked.append((float(found[1]) if found else 1.0, tag.lower()))
    return (tag for weight, tag in sorted(asked, key=lambda one: -one[0]) if weight > 0)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
