"""``registry projections``: how the read models do, and what an operator does about them."""

import gc
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, REFUSED
from registry.config import Settings

MOST_PROCESSES = 16


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "projections",
        help="the read models: status, rebuild, retry, skip",
        description="Tell how far each read model has come and which agreements are parked; build one anew, "
        "or settle what is parked. A SQLite database that a server holds is gone through that server. Exit "
        "code 1 when something is parked, not ready or different.",
    )
    acts = parser.add_subparsers(metavar="ACT", required=True)
    status = acts.add_parser("status", help="how far each read model has come, and what is parked")
    rebuild = acts.add_parser("rebuild", help="build a read model anew; the old rows serve until it is done")
    which = rebuild.add_mutually_exclusive_group(required=True)
    which.add_argument("name", metavar="NAME", nargs="?", help="name of the read model")
    which.add_argument("--all", action="store_true", help="every read model, in one pass over the log")
    rebuild.add_argument(
        "--check", action="store_true", help="replace nothing: print where the live rows differ from new ones"
    )
    rebuild.add_argument(
        "--processes",
        metavar="N",
        type=_processes,
        help="make the rows in so many processes beside this one; 0 is none, and without this option there is one "
        "for each processor, at most four. A server that holds the database makes them itself",
    )
    for act, says in (
        ("retry", "try a parked agreement again"),
        ("skip", "let a parked agreement go on with its next event"),
    ):
        settle = acts.add_parser(act, help=says)
        settle.add_argument("name", metavar="NAME", help="name of the read model")
        settle.add_argument("agreement", metavar="AGREEMENT", help="id of the parked agreement")
        settle.set_defaults(run=run_settle, act=act)
    status.set_defaults(run=run_status)
    rebuild.set_defaults(run=run_rebuild)
    for act_parser in acts.choices.values():
        act_parser.add_argument("--json", action="store_true", help="as one JSON object")
        where = act_parser.add_mutually_exclusive_group()
        where.add_argument("--url", help="ask the registry at this URL instead of opening the database")
        add_database(where)


def run_status(arguments: Namespace) -> int:
    """Print a line for each read model, and one for each parked agreement."""
    with operating(arguments, writing=False) as operator:
        items = operator.status()
    if arguments.json:
        console.say_json({"items": items})
    else:
        console.table(
            ("read model", "version", "state", "position", "behind", "parked"),
            [_line(item) for item in items],
        )
        for item in items:
            for parked in item["parked"]:
                console.say(
                    f"parked in {item['name']}: {parked['stream']} from position {parked['from_position']}, "
                    f"{parked['error']}"
                )
    return DONE if all(item["ready"] and not item["parked"] for item in items) else REFUSED


def run_rebuild(arguments: Namespace) -> int:
    """Build one or all anew, or compare them with new builds."""
    with operating(arguments, making=True) as operator, console.progress("rebuilding", None) as bar:

        def progress(done: int, total: int) -> None:
            bar(done, f"{done:,} of {total:,}", total)

        # Rows are made by the hundred thousand and live for a moment: they are looked at more seldom.
        gc.set_threshold(50_000, 20, 50)
        names = operator.names() if arguments.all else [arguments.name]
        done: list[dict[str, Any]]
        if arguments.check:
            done = [{"name": name, "differences": operator.check(name, progress)} for name in names]
        elif arguments.all:
            done = operator.rebuild_all(progress)
        else:
            done = [{"name": arguments.name, "generation": operator.rebuild(arguments.name, progress)}]
    if arguments.json:
        console.say_json({"items": done} if arguments.all else done[0])
    elif arguments.check:
        for each in done:
            _say_differences(**each)
    else:
        for each in done:
            _say(arguments, each)
    return REFUSED if any(each.get("differences") for each in done) else DONE


def run_settle(arguments: Namespace) -> int:
    """Retry or skip a parked agreement."""
    with operating(arguments) as operator:
        settle = operator.retry if arguments.act == "retry" else operator.skip
        settle(arguments.name, arguments.agreement)
    _say(arguments, {"name": arguments.name, "agreement": arguments.agreement, "resolution": arguments.act})
    return DONE


@contextmanager
def operating(
    arguments: Namespace, *, writing: bool = True, making: bool = False
) -> Iterator["Here | There"]:
    """Open what the options name; while a server holds the database, it is gone through that server.

    For ``making`` rows there are processes, which begin before there is a thread or a connection.
    """
    from registry.cli.database import lock_or_url, reader, writer_engine
    from registry.projections.catalogue import CATALOGUE
    from registry.projections.makers import makers
    from registry.projections.operate import Operator

    settings: Settings = settings_of(arguments)
    with ExitStack() as opened:
        url = arguments.url
        if not url and writing:
            url = lock_or_url(opened, settings)
        if url:
            yield There(url)
            return
        made_by = opened.enter_context(makers(CATALOGUE, arguments.processes)) if making else None
        found = opened.enter_context(reader(settings))
        engine = opened.enter_context(writer_engine(settings)) if writing else None
        yield Here(Operator(engine, found, makers=made_by))


class Here:
    """The read models of a database that this process has opened."""

    def __init__(self, operator: Any) -> None:
        self._operator = operator
        self.rebuild = operator.rebuild
        self.retry = operator.retry
        self.skip = operator.skip

    def names(self) -> list[str]:
        """Name the read models."""
        names: list[str] = self._operator.names()
        return names

    def status(self) -> list[dict[str, Any]]:
        """Tell how each read model does."""
        items: list[dict[str, Any]] = msgspec.to_builtins(self._operator.status())
        return items

    def rebuild_all(self, progress: Any) -> list[dict[str, Any]]:
        """Build every read model anew."""
        numbers = self._operator.rebuild_all(progress)
        return [{"name": name, "generation": number} for name, number in numbers.items()]

    def check(self, name: str, progress: Any) -> list[dict[str, Any]]:
        """Compare a read model with a new build."""
        differences: list[dict[str, Any]] = msgspec.to_builtins(self._operator.check(name, progress))
        return differences


class There:
    """The read models behind a server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def names(self) -> list[str]:
        """Name the read models."""
        return [item["name"] for item in self.status()]

    def status(self) -> list[dict[str, Any]]:
        """Tell how each read model does."""
        from registry.cli.remote import get

        items: list[dict[str, Any]] = get(self._url, "/projections")["items"]
        return items

    def rebuild(self, name: str, _: Any) -> int:
        """Have a read model built anew."""
        generation: int = self._post(f"{name}/rebuild")["generation"]
        return generation

    def rebuild_all(self, progress: Any) -> list[dict[str, Any]]:
        """Have every read model built anew, one after the other."""
        return [{"name": name, "generation": self.rebuild(name, progress)} for name in self.names()]

    def check(self, name: str, _: Any) -> list[dict[str, Any]]:
        """Have a read model compared with a new build."""
        differences: list[dict[str, Any]] = self._post(f"{name}/check")["differences"]
        return differences

    def retry(self, name: str, agreement: str) -> None:
        """Have a parked agreement tried again."""
        self._post(f"{name}/parked/{agreement}/retry")

    def skip(self, name: str, agreement: str) -> None:
        """Have a parked agreement go on with its next event."""
        self._post(f"{name}/parked/{agreement}/skip")

    def _post(self, path: str) -> Any:
        from registry.cli.remote import post

        return post(self._url, f"/projections/{path}")


def _line(item: dict[str, Any]) -> tuple[str, ...]:
    generation = next((g for g in item["generations"] if g["state"] == "live"), None)
    generation = generation or next(iter(item["generations"]), None)
    if generation is None:
        return item["name"], str(item["version"]), "not begun", "", "", ""
    return (
        item["name"],
        str(item["version"]),
        generation["state"],
        f"{generation['position']:,}",
        f"{generation['behind']:,}",
        str(len(item["parked"])),
    )


def _say_differences(name: str, differences: list[dict[str, Any]]) -> None:
    for each in differences:
        console.say(f"{each['found']}: {each['table']} {each['agreement']} {each['row']}")
    console.say(f"{name}: {len(differences)} rows differ")


def _say(arguments: Namespace, done: dict[str, Any]) -> None:
    if arguments.json:
        console.say_json(done)
    elif "generation" in done:
        console.say(f"{done['name']} was built anew: generation {done['generation']} is live")
    else:
        console.say(f"{done['agreement']} in {done['name']}: {done['resolution']}")


def _processes(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= MOST_PROCESSES:
        raise ArgumentTypeError(f"a number of processes is 0 to {MOST_PROCESSES}")
    return number
