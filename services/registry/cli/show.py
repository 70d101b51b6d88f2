"""``registry show``: one agreement, on any day, as known at any time."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, UNREACHABLE, USAGE, Stop
from registry.config import Settings
from registry.domain.attributes import subject_flaw
from registry.errors import NotFound

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
View = dict[str, Any]
"""What GET /agreements/{id} answers with."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "show",
        help="show an agreement: status, parties, timeline",
        description="Show one agreement: what it is on a day, who the parties are, what happened and what is "
        "disputed. Exit code 1 when there is none.",
    )
    parser.add_argument("agreement", metavar="AGREEMENT", help="id of the agreement")
    parser.add_argument(
        "--valid-as-of", type=day, metavar="DAY", help="the day that decides its status (today in UTC)"
    )
    parser.add_argument(
        "--known-as-of",
        metavar="POSITION|TIME",
        help="with what the registry knew then: a position of the log, or an RFC 3339 time",
    )
    parser.add_argument("--explain", action="store_true", help="with every rule that was tried")
    parser.add_argument(
        "--json", action="store_true", help="everything that is known of it, as one JSON object"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="ask the registry at this URL instead of the database")
    add_database(where)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the agreement."""
    from registry.cli.portrait import portrait

    if (flaw := subject_flaw(arguments.agreement)) is not None:
        raise NotFound(f"{arguments.agreement!r} {flaw}")
    if arguments.url:
        view, rules, recorded = asked(arguments)
    else:
        view, rules, recorded = folded(arguments, settings_of(arguments))
    if arguments.json:
        console.say_json({**view, "rules": rules} if arguments.explain else view)
        return DONE
    try:
        lines = list(portrait(view, recorded))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if not arguments.url:
            raise
        raise Stop(UNREACHABLE, f"{arguments.url} does not show agreements as this version does") from error
    for line in lines:
        console.say(line)
    if arguments.explain:
        console.say("")
        console.table(
            ("rule", "holds", "because", "positions"),
            [
                (
                    rule["code"],
                    "yes" if rule["holds"] else "no",
                    rule["why"],
                    ", ".join(map(str, rule["positions"])),
                )
                for rule in rules
            ],
        )
    return DONE


def asked(arguments: Namespace) -> tuple[View, list[View], dict[int, str]]:
    """Ask a server; with the rules that were tried, if wanted, and the record time of each position.

    Raises NotFound, RegistryError, Unavailable or Stop.
    """
    from registry.cli.remote import get

    query = {}
    if arguments.valid_as_of is not None:
        query["valid_as_of"] = arguments.valid_as_of.isoformat()
    if arguments.known_as_of is not None:
        query["known_as_of"] = arguments.known_as_of
    path = f"/agreements/{arguments.agreement}"
    view: View = get(arguments.url, path, **query)
    recorded = {} if arguments.json else record_times(arguments.url, path)
    if not arguments.explain:
        return view, [], recorded
    explanation: View = get(arguments.url, f"{path}/explain", **query)
    rules = explanation.get("rules")
    if not isinstance(rules, list):
        raise Stop(UNREACHABLE, f"{arguments.url} does not explain agreements as this version does")
    return view, rules, recorded


def record_times(url: str, path: str) -> dict[int, str]:
    """Ask a server when the events of an agreement were recorded, page by page. Raises Stop and Unavailable."""
    from registry.cli.remote import get

    found: dict[int, str] = {}
    query = {"limit": "1000"}
    while True:
        page = get(url, f"{path}/events", **query)
        try:
            found |= {int(event["sequence"]): event["recordedtime"] for event in page["events"]}
            following = page.get("next")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Stop(UNREACHABLE, f"{url} does not show agreements as this version does") from error
        if following is None:
            return found
        query["cursor"] = following


def folded(arguments: Namespace, settings: Settings) -> tuple[View, list[View], dict[int, str]]:
    """Fold the agreement from the database; with the rules that were tried, and the record time of each position.

    Raises NotFound, Unavailable or Stop.
    """
    import msgspec

    from registry.cli.database import reader
    from registry.domain.agreement import fold
    from registry.domain.explain import explain
    from registry.domain.values import write_custom
    from registry.domain.view import view
    from registry.domain.visibility import visibility
    from registry.merkle.entry import format_time

    on: date = arguments.valid_as_of or datetime.now(UTC).date()
    with reader(settings) as found:
        now = found.agreement(arguments.agreement)
        then = now
        if arguments.known_as_of is not None:
            until = known(found, arguments.known_as_of)
            then = fold(None, found.recorded(arguments.agreement, until=until))
    if now is None or then is None:
        when = "" if now is None else f" as of {arguments.known_as_of}"
        raise NotFound(f"there is no agreement {arguments.agreement!r}{when}")
    shown = msgspec.structs.replace(view(then, on), visibility=visibility(now))
    rules = explain(then, on).rules if arguments.explain else ()
    recorded = {event.position: format_time(event.recorded_at) for event in then.recorded.values()}
    return (
        msgspec.to_builtins(shown, enc_hook=write_custom),
        msgspec.to_builtins(rules, enc_hook=write_custom),
        recorded,
    )


def known(reader: Any, text: str) -> int:
    """Return the position that ``--known-as-of`` means. Raises Stop."""
    if re.fullmatch(r"[0-9]{1,15}", text):
        return int(text)
    try:
        since = datetime.fromisoformat(text.upper()) - EPOCH
    except (ValueError, OverflowError, TypeError):  # the last: no offset, so no one point in time
        detail = "is neither a position nor a time such as 2025-07-20T12:00:00Z"
        raise Stop(USAGE, f"--known-as-of {text} {detail}") from None
    position: int = reader.recorded_by(since // timedelta.resolution)
    return position


def day(text: str) -> date:
    """Read a day. Raises ArgumentTypeError."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day such as 2025-07-16") from None
