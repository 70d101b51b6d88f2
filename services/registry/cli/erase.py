"""``registry erase``: personal data out of the registry, of one event or of one person; first only shown."""

import re
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, UNREACHABLE, USAGE, Stop
from registry.config import Settings

PATIENCE = 60.0
"""Seconds for which others are waited for: who keeps the read models up to date, and who still reads."""
PAUSE = 0.2

Progress = Callable[[int, int], None]


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "erase",
        help="erase personal data of an event, or of a person in all agreements",
        description="Show what an erasure would take; with --yes erase it, for good. All proofs still hold. A "
        "SQLite database that a server holds is gone through that server. Exit code 3 when it is erased and not "
        "yet gone from everything made of the log: run the command again.",
    )
    parser.add_argument("agreement", metavar="AGREEMENT", nargs="?", help="id of the agreement of the event")
    parser.add_argument("position", metavar="POSITION", nargs="?", type=int, help="position of the event")
    parser.add_argument("--person", metavar="ID", help="id of the person, instead of an event")
    parser.add_argument(
        "--part", metavar="N", type=int, nargs="+", help="parts of the event, instead of all personal ones"
    )
    parser.add_argument(
        "--legal-basis",
        required=True,
        metavar="CODE",
        help='code of the legal basis, such as "GDPR 17(1)(b)"',
    )
    parser.add_argument("--yes", action="store_true", help="erase; without it nothing is changed")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="erase from the registry at this URL instead of opening the database")
    add_database(where)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Show what would go, and erase it when told to."""
    wanted = what(arguments)
    with ExitStack() as opened:
        to = opened.enter_context(erasing(arguments))
        bar = opened.enter_context(console.progress("looking through the log", None))

        def progress(done: int, total: int) -> None:
            bar(done, f"{done:,} of {total:,}", total)

        if not arguments.yes:
            return _show(arguments, to.look(wanted, progress))
        done = to.erase(wanted, arguments.legal_basis, progress)
    if arguments.json:
        console.say_json(done)
    else:
        console.table(
            ("agreement", "position", "parts erased", "recorded at"),
            [
                (
                    one["agreement"],
                    str(one["position"]),
                    _numbers(one["parts"]),
                    str(one["receipt"]["position"]),
                )
                for one in done["erased"]
            ],
        )
        if not done["cleared"]:
            behind = ", ".join(done["behind"]) or "what somebody still reads"
            console.note(f"erased, but not yet gone from everything: {behind}; run this again")
    return DONE if done["cleared"] else UNREACHABLE


class OfEvent(msgspec.Struct, frozen=True):
    agreement: str
    position: int
    parts: tuple[int, ...] | None

    @property
    def path(self) -> str:
        return f"/agreements/{self.agreement}/events/{self.position}/erasures"


class OfPerson(msgspec.Struct, frozen=True):
    person: str

    @property
    def path(self) -> str:
        return f"/people/{self.person}/erasures"


Wanted = OfEvent | OfPerson


def what(arguments: Namespace) -> Wanted:
    """Read what is to be erased. Raises Stop when that is neither an event nor a person, or not a legal basis."""
    from registry.domain.values import AGREEMENT_ID_PATTERN, CODE_PATTERN, PERSON_ID_PATTERN

    if not re.match(CODE_PATTERN, arguments.legal_basis):
        raise Stop(USAGE, 'the legal basis is a short code, such as "GDPR 17(1)(b)"')
    if arguments.person is not None:
        if arguments.agreement is not None or arguments.part is not None:
            raise Stop(USAGE, "erase what is personal of an event, or of a person: not both")
        if not re.match(PERSON_ID_PATTERN, arguments.person):
            raise Stop(USAGE, "the id of a person is a random UUID in lower case")
        return OfPerson(arguments.person)
    if arguments.position is None:
        raise Stop(USAGE, "say what to erase: AGREEMENT POSITION, or --person ID")
    if not re.match(AGREEMENT_ID_PATTERN, arguments.agreement) or arguments.position < 1:
        raise Stop(USAGE, "an event is named by the id of its agreement and its position, from 1")
    return OfEvent(arguments.agreement, arguments.position, tuple(arguments.part) if arguments.part else None)


@contextmanager
def erasing(arguments: Namespace) -> Iterator["Here | There"]:
    """Open what the options name; while a server holds the database, it is gone through that server."""
    from registry.cli.database import lock_or_url, reader, writer_engine

    settings: Settings = settings_of(arguments)
    with ExitStack() as opened:
        url = arguments.url
        if not url and arguments.yes:
            url = lock_or_url(opened, settings)
        if url:
            yield There(url)
            return
        found = opened.enter_context(reader(settings))
        engine = opened.enter_context(writer_engine(settings)) if arguments.yes else None
        yield Here(settings, engine, found)


class Here:
    """A database that this process has opened."""

    def __init__(self, settings: Settings, engine: Any, reader: Any) -> None:
        self._settings = settings
        self._engine = engine
        self._reader = reader

    def look(self, wanted: Wanted, progress: Progress) -> list[dict[str, Any]]:
        """Tell what would go. Raises NotFound, Rejected or Unavailable."""
        from registry.store.erasure import look
        from registry.store.people import known, parts_of_person

        if isinstance(wanted, OfEvent):
            found = look(self._reader, wanted.agreement, wanted.position, wanted.parts)
        else:
            found = known(parts_of_person(self._reader, wanted.person, progress=progress)[0], wanted.person)
        shown: list[dict[str, Any]] = msgspec.to_builtins(found)
        return shown

    def erase(self, wanted: Wanted, legal_basis: str, progress: Progress) -> dict[str, Any]:
        """Erase, bring the read models past it and clear up. Raises NotFound, Rejected or Unavailable."""
        from registry.cli.local import require_standing
        from registry.projections.clearing import behind
        from registry.store.erasure import Eraser
        from registry.store.people import erase_everywhere
        from registry.store.principals import principal_id
        from registry.store.states import States

        require_standing(self._settings, self._reader)
        eraser = Eraser(self._engine, States(0))
        principal = principal_id(self._engine, "command", "command line")
        if isinstance(wanted, OfEvent):
            done = eraser.erase(wanted.agreement, wanted.position, wanted.parts, legal_basis, principal)
        else:
            done = erase_everywhere(
                eraser, self._reader, wanted.person, legal_basis, principal, progress=progress
            )
        cleared = self._clear()
        position = max(one.receipt.position for one in done)
        with self._reader.connect() as connection:
            waiting = [] if cleared else behind(connection, position)
        return {"erased": msgspec.to_builtins(done), "cleared": cleared, "behind": waiting}

    def _clear(self) -> bool:
        """Clear up, as a server does; where one runs, its read models are waited for."""
        from registry.projections.clearing import Clearing, catch_up

        clearing = Clearing(self._engine, self._reader)
        deadline = time.monotonic() + PATIENCE
        while True:
            catch_up(self._engine, self._reader)
            if clearing.step():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(PAUSE)


class There:
    """A registry behind a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def look(self, wanted: Wanted, _: Progress) -> list[dict[str, Any]]:
        """Ask what would go."""
        from registry.cli.remote import get

        parts = wanted.parts if isinstance(wanted, OfEvent) else None
        query = {"parts": ",".join(map(str, parts))} if parts else {}
        items: list[dict[str, Any]] = get(self._url, wanted.path, **query)["items"]
        return items

    def erase(self, wanted: Wanted, legal_basis: str, _: Progress) -> dict[str, Any]:
        """Have it erased."""
        from registry.cli.remote import post

        body: dict[str, Any] = {"legal_basis": legal_basis}
        if isinstance(wanted, OfEvent) and wanted.parts:
            body["parts"] = wanted.parts
        done: dict[str, Any] = post(self._url, wanted.path, json=body)
        return done


def _show(arguments: Namespace, found: list[dict[str, Any]]) -> int:
    many = sum(len(one["open"]) for one in found)
    if arguments.json:
        console.say_json({"items": found})
        return DONE
    console.table(
        ("agreement", "position", "event", "parts to erase", "erased before"),
        [
            (
                one["agreement"],
                str(one["position"]),
                one["type"].removeprefix("agreement."),
                _numbers(one["open"]),
                _numbers(one["gone"]),
            )
            for one in found
        ],
    )
    console.note(f"nothing was changed; --yes erases {many} part{'' if many == 1 else 's'} for good")
    return DONE


def _numbers(parts: list[int]) -> str:
    return " ".join(map(str, parts))
