"""An agreement in words, on a screenful."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from registry.cli.console import coloured, folded
from registry.cli.problems import behind
from registry.cli.timeline import in_language, party_name, timeline

BOLD = "1"
YELLOW = "33"
View = Mapping[str, Any]


def portrait(view: View, recorded: Mapping[int, str]) -> Iterator[str]:
    """Say line by line what an agreement is: its status first, and what is not certain last.

    ``recorded`` gives the record time of the agreement's events by position, RFC 3339.
    """
    yield coloured(in_language(view["title"]), BOLD)
    yield f"{view['id']}, version {view['version']}, on {view['on']}"
    yield ""
    since = f" since {view['since']['date']}" if view["since"] else ""
    doubt = "" if view["certain"] else " (not certain)"
    yield coloured(f"{capital(view['status_label'])}{since}{doubt}", BOLD)
    yield folded(view["reason"]["text"] + behind(view["reason"]["positions"]))
    yield ""
    facts = list(aspects(view))
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        yield folded(f"{name.ljust(width)}  {text}", width + 2)
    if rows := timeline(view):
        yield ""
        yield coloured("Timeline", BOLD)
        width = max(len(when) for when, _, _ in rows)
        for when, what, position in rows:
            time = recorded.get(position, "") if position is not None else ""
            learned = f" (recorded {time[:10]})" if time else ""
            yield folded(f"  {when.ljust(width)}  {what}{learned}", width + 4)
    if doubts := list(open_questions(view)):
        yield ""
        for text in doubts:
            yield coloured(folded(text, 2), YELLOW)


def aspects(view: View) -> Iterator[tuple[str, str]]:
    """Name and describe what an agreement has one of."""
    yield (
        "Parties",
        " and ".join(f"{in_language(party['name'])} ({party['id']})" for party in view["parties"]),
    )
    yield "Instrument", f"{view['kind']}, {view['legal_character']}, entry into force {view['entry_mode']}"
    if view["visibility"] != "public":
        yield "Visibility", view["visibility"]
    for state in ("agreed", "prospective"):
        labels = [
            in_language(area["label"] or {}) or area["area_id"]
            for area in view["areas"]
            if area["state"] == state and not area["removed"]
        ]
        if labels:
            yield capital(state), ", ".join(labels)
    if view["institutions"]:
        yield "Institutions", ", ".join(in_language(each["name"]) for each in view["institutions"])
    for commitment in view["commitments"]:
        by = " and ".join(party_name(view, party) for party in commitment["by"])
        yield capital(commitment["strength"]), f"{in_language(commitment['text'])} ({by})"
    counts = [counted(view[name], name) for name in ("statements", "facts", "documents", "publications")]
    if any(counts):
        yield "On record", ", ".join(filter(None, counts))


def open_questions(view: View) -> Iterator[str]:
    """Say what is missing, due, in dispute or told twice."""
    for awaited in view["awaiting"]:
        by = f" by {party_name(view, awaited['party'])}" if awaited["party"] else ""
        yield f"Awaited: {awaited['what'].replace('-', ' ')}{by}"
    if flags := [name.replace("_", " ") for name, set_ in view["flags"].items() if set_]:
        yield f"Note: {', '.join(flags)}"
    if view["disputed"]:
        yield f"Disputed: {', '.join(view['disputed'])}"
    pairs = {
        tuple(sorted((one["engagement_id"], other)))
        for one in view["engagements"]
        for other in one["possible_duplicates"]
    }
    for one, other in sorted(pairs):
        yield f"Possibly one and the same: {one} and {other}"


def counted(items: Sequence[Any], name: str) -> str:
    """Say how many there are, or nothing."""
    return f"{len(items)} {name if len(items) > 1 else name.removesuffix('s')}" if items else ""


def capital(text: str) -> str:
    """Begin with a capital and leave the rest as it is."""
    return text[:1].upper() + text[1:]
