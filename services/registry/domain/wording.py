"""What is said in words for people: a text in one of its languages, on one line."""

from registry.domain.agreement import Agreement
from registry.domain.claims import claimed
from registry.domain.values import T


def in_one_language(text: T) -> str:
    """Give a text in English, or else in the first of its languages by tag."""
    return text.get("en") or text[min(text)]


def on_one_line(text: str, most: int) -> str:
    """Put a text on one line of at most ``most`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def title_of(state: Agreement) -> str:
    """Give the title of an agreement in one language; its id when no source gives one."""
    titles = {
        predicate.removeprefix("title."): group.shown.value
        for predicate, group in claimed(state).items()
        if predicate.startswith("title.")
    }
    return in_one_language(titles) if titles else state.id
