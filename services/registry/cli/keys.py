"""``registry keys``: who may use the registry, and for what."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any

import msgspec

from registry.access import SCOPES
from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "keys",
        help="the API keys: create, list, revoke",
        description="Make a key, which is shown once, list the keys there are, or revoke one. A SQLite database "
        "that a server holds is gone through that server, with the key in REGISTRY_API_KEY.",
        epilog="; ".join(f"{scope}: {says}" for scope, says in SCOPES.items()),
    )
    acts = parser.add_subparsers(metavar="ACT", required=True)
    create = acts.add_parser("create", help="make a key and print it")
    create.add_argument("--label", required=True, metavar="L", help="whose it is, for people; no secret")
    create.add_argument(
        "--scope", required=True, nargs="+", metavar="S", choices=list(SCOPES), help="what it may do"
    )
    create.add_argument(
        "--source",
        nargs="+",
        default=[],
        metavar="PREFIX",
        help="sources whose events it may post: exact, or what ends in / : or # with all that begins with it",
    )
    create.add_argument(
        "--party", nargs="+", default=[], metavar="P", help="parties about whose agreements it may post"
    )
    create.add_argument("--expires", type=_day, metavar="DATE", help="last day on which it works, in UTC")
    create.set_defaults(run=run_create)
    acts.add_parser("list", help="list the keys, revoked ones as well").set_defaults(run=run_list)
    revoke = acts.add_parser("revoke", help="revoke a key for good")
    revoke.add_argument("id", metavar="ID", help="id of the key, as it is listed")
    revoke.set_defaults(run=run_revoke)
    for act in acts.choices.values():
        act.add_argument("--json", action="store_true", help="as one JSON object")
        where = act.add_mutually_exclusive_group()
        where.add_argument("--url", help="ask the registry at this URL instead of opening the database")
        add_database(where)


def run_create(arguments: Namespace) -> int:
    """Make a key. The key alone goes to standard output, so that a script can take it."""
    wanted = {
        "label": arguments.label,
        "scopes": arguments.scope,
        "sources": arguments.source,
        "parties": arguments.party,
        "expires": None if arguments.expires is None else arguments.expires.isoformat(),
    }
    with keys(arguments) as there:
        made = there.create(wanted)
    if arguments.json:
        console.say_json(made)
        return DONE
    console.note(f"key {made['made']['id']} of {made['made']['label']}; it is shown this once:")
    console.say(made["key"])
    return DONE


def run_list(arguments: Namespace) -> int:
    """Print a line for each key."""
    with keys(arguments, writing=False) as there:
        items = there.listed()
    if arguments.json:
        console.say_json({"items": items})
        return DONE
    console.table(
        ("id", "label", "scopes", "bound to", "expires", "last used", "state"),
        [_line(item) for item in items],
    )
    return DONE


def run_revoke(arguments: Namespace) -> int:
    """Revoke a key."""
    with keys(arguments) as there:
        revoked = there.revoke(arguments.id)
    if arguments.json:
        console.say_json(revoked)
    else:
        console.say(f"key {revoked['id']} of {revoked['label']} was revoked at {revoked['revoked']}")
    return DONE


@contextmanager
def keys(arguments: Namespace, *, writing: bool = True) -> Iterator["Here | There"]:
    """Open what the options name; while a server holds the database, it is gone through that server."""
    from registry.cli.database import checked_reader_engine, lock_or_url, writer_engine
    from registry.store.api_keys import Keys

    settings = settings_of(arguments)
    with ExitStack() as opened:
        url = arguments.url
        if not url and writing:
            url = lock_or_url(opened, settings)
        if url:
            yield There(url)
            return
        reading = opened.enter_context(checked_reader_engine(settings))
        yield Here(Keys(opened.enter_context(writer_engine(settings)) if writing else reading))


class Here:
    """The keys of a database that this process has opened."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Make a key."""
        from registry.store.api_keys import KeyRequest

        id, key = self._rows.create(msgspec.convert(wanted, KeyRequest))
        return {"key": key, "made": msgspec.to_builtins(self._rows.shown(id))}

    def listed(self) -> list[dict[str, Any]]:
        """List the keys."""
        items: list[dict[str, Any]] = msgspec.to_builtins(self._rows.listed())
        return items

    def revoke(self, id: str) -> dict[str, Any]:
        """Revoke a key."""
        revoked: dict[str, Any] = msgspec.to_builtins(self._rows.revoke(id))
        return revoked


class There:
    """The keys behind a server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Have a key made."""
        from registry.cli.remote import post

        made: dict[str, Any] = post(self._url, "/keys", json=wanted)
        return made

    def listed(self) -> list[dict[str, Any]]:
        """Have the keys listed."""
        from registry.cli.remote import get

        items: list[dict[str, Any]] = get(self._url, "/keys")["items"]
        return items

    def revoke(self, id: str) -> dict[str, Any]:
        """Have a key revoked."""
        from registry.cli.remote import delete

        revoked: dict[str, Any] = delete(self._url, f"/keys/{id}")
        return revoked


def _line(item: dict[str, Any]) -> tuple[str, ...]:
    bound = ", ".join([*item["sources"], *item["parties"]])
    over = item["expires"] is not None and item["expires"] < date.today().isoformat()  # noqa: DTZ011 - shown only
    state = "revoked" if item["revoked"] else "expired" if over else "works"
    scopes = " ".join(item["scopes"])
    return item["id"], item["label"], scopes, bound, item["expires"] or "", item["last_used"] or "", state


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("a day is written as 2027-12-31") from None
