"""Rendering: the templates, and the filters in which values become words and HTML."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from registry import __version__
from registry.domain.edtf import Edtf, parse
from registry.ui import dates
from registry.ui.hashed import static_url
from registry.ui.language import Language, best, languages
from registry.ui.masthead import FOOTER, FOR_SOME, NAVIGATION
from registry.ui.page import Setting, with_query

_BDI = Markup("<bdi>{}</bdi>")
_IN_LANGUAGE = Markup('<bdi lang="{}">{}</bdi>')
_LENGTH = re.compile(r"([0-9]+)([YMWD])")
_TIME = Markup('<time datetime="{}">{}</time>')


def render(template: str, setting: Setting, **shown: Any) -> str:
    """Render a template for a reader. What a template names and is not given is an error."""
    return ENVIRONMENT.get_template(template).render(setting=setting, language=setting.language, **shown)


def _language(context: Context) -> Language:
    found: Language = context["language"]
    return found


@pass_context
def t(context: Context, key: str, **values: Any) -> Markup:
    """Give a text of the catalogue."""
    return _language(context).text(key, **values)


@pass_context
def n(context: Context, key: str, number: int, **values: Any) -> Markup:
    """Give a text of the catalogue for a number of things."""
    return _language(context).counted(key, number, **values)


@pass_context
def word(context: Context, code: str | None, group: str) -> str:
    """Give the word for a code of the vocabulary."""
    return "" if code is None else _language(context).word(group, code)


@pass_context
def when(context: Context, date: Any) -> Markup:
    """Write a date, EDTF or a day, in words."""
    return dates.in_words(parse(str(date)), _language(context))


@pass_context
def plain_when(context: Context, date: Any) -> str:
    """Write a date as plain text, for where no element can be."""
    return dates.in_words(parse(str(date)), _language(context)).striptags()


@pass_context
def moment(context: Context, time: str) -> Markup:
    """Write a record time, RFC 3339 in UTC, to the minute."""
    read = datetime.fromisoformat(time)
    day = dates.day_in_words(read.date(), _language(context))
    return _TIME.format(time, f"{day}, {read:%H:%M} UTC")


@pass_context
def tx(context: Context, texts: Any) -> Markup:
    """Give a text that sources wrote in one or more languages, in the one that suits the reader best."""
    if not texts:
        return Markup("")
    return _IN_LANGUAGE.format(*best(texts, _language(context).tag))


@pass_context
def plain(context: Context, texts: Any) -> str:
    """Give such a text without its language, for where no element can be."""
    return best(texts, _language(context).tag)[1] if texts else ""


@pass_context
def words(context: Context, texts: Any) -> Markup:
    """Give a text in whatever form it is: by language, or one of which the language is not known."""
    return tx(context, texts) if isinstance(texts, dict) else own(texts)


def clock(time: str) -> str:
    """Write a record time shortly, for a drawing."""
    return f"{time[:10]} {time[11:16]} UTC"


@pass_context
def duration(context: Context, length: str) -> str:
    """Write a duration (ISO 8601) in words."""
    pieces = [_language(context).counted(f"duration.{unit}", int(n)) for n, unit in _LENGTH.findall(length)]
    return " ".join(pieces)


@pass_context
def unit(context: Context, code: str) -> Markup:
    """Write a unit: the name of a currency stays its code."""
    return Markup('<span class="unit">{}</span>').format(_language(context).texts.get(f"unit.{code}", code))


def own(text: Any) -> Markup:
    """Set a text whose language nobody knows, such as a name, apart from the direction of what is around it."""
    return _BDI.format(text)


@pass_context
def english(context: Context, text: str) -> Markup:
    """Mark a sentence that the registry makes in English alone."""
    if _language(context).tag == "en":
        return Markup("{}").format(text)
    return Markup('<bdi lang="en" dir="ltr">{}</bdi>').format(text)


def source(uri: str) -> Markup:
    """Write the source of an event: an absolute URI as its host and path, whole for who points at it."""
    parts = urlsplit(uri)
    short = (parts.netloc + parts.path).rstrip("/") if parts.scheme in ("http", "https") else uri
    return Markup('<bdi class="source" title="{}">{}</bdi>').format(uri, short or uri)


def segment(text: str) -> str:
    """Write a text as one segment of a path."""
    return quote(text, safe="")


def number(value: int | str) -> str:
    """Write a number with its thousands apart; decimals are strings."""
    if isinstance(value, int):
        return f"{value:,}"
    whole, dot, rest = value.partition(".")
    sign = "\N{MINUS SIGN}" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{dot}{rest}"


def _final(value: Any) -> Any:
    """Stop a value that would show in Python's own way."""
    if isinstance(value, (msgspec.Struct, Edtf, dict, list, tuple)) or value is None:
        raise TypeError(f"a page would show a {type(value).__name__} as it is")
    return value


ENVIRONMENT = Environment(
    loader=PackageLoader("registry.ui", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_final,
    auto_reload=False,
)
ENVIRONMENT.globals.update(
    t=t,
    n=n,
    static=static_url,
    with_query=with_query,
    navigation=NAVIGATION,
    for_some=FOR_SOME,
    footer=FOOTER,
    languages=languages(),
    version=__version__,
)
ENVIRONMENT.filters.update(
    word=word,
    when=when,
    clock=clock,
    duration=duration,
    plain_when=plain_when,
    unit=unit,
    words=words,
    moment=moment,
    tx=tx,
    plain=plain,
    own=own,
    english=english,
    source=source,
    segment=segment,
    number=number,
)
