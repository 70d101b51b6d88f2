"""Dates in words: a day, a month, a year, or a range of which one day is meant."""

import re
from datetime import date

from markupsafe import Markup

from registry.domain.edtf import Edtf
from registry.ui.language import Language

_TIME = Markup('<time datetime="{}">{}</time>')
_KEPT = Markup('<data class="when" value="{}">{}</data>')
_PLAIN = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_QUALIFIED = {"~": "date.approximate", "?": "date.uncertain", "%": "date.both"}

DAY, MONTH = len("2025-07-16"), len("2025-07")


def in_words(when: Edtf, language: Language) -> Markup:
    """Write a date as precisely as it is known, and no more; the text that was posted stays with it."""
    bare = when.text.rstrip("~?%")
    words = _point(bare, language) if _PLAIN.fullmatch(bare) else _range(when, language)
    if key := _QUALIFIED.get(when.qualifier):
        words = language.text(key, date=words)
    return words if words.startswith(f'<time datetime="{when.text}"') else _KEPT.format(when.text, words)


def day_in_words(day: date, language: Language) -> str:
    """Write a day."""
    month = language.texts[f"month.{day.month}"]
    return str(language.text("date.day", day=day.day, month=month, year=_year(day.year)))


def _point(text: str, language: Language) -> Markup:
    """Write a day, a month or a year."""
    if len(text) == DAY:
        words = day_in_words(date.fromisoformat(text), language)
    elif len(text) == MONTH:
        month = language.texts[f"month.{int(text[5:])}"]
        words = str(language.text("date.month", month=month, year=_year(int(text[:4]))))
    else:
        words = _year(int(text))
    return _TIME.format(text, Markup(words))  # noqa: S704 - of the catalogue and numbers alone


def _range(when: Edtf, language: Language) -> Markup:
    first, last = (
        None if day is None else _point(day.isoformat(), language) for day in (when.earliest, when.latest)
    )
    if first is None:
        return language.text("date.until", last=last)
    if last is None:
        return language.text("date.from", first=first)
    return language.text("date.between", first=first, last=last)


def _year(year: int) -> str:
    return str(year)
