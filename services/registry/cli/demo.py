"""``registry demo``: the story of two reports, on a database of its own."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from registry.access import SCOPES
from registry.cli import console
from registry.cli.environment import API_KEY, settings_of
from registry.cli.exits import DONE, REFUSED, USAGE, Stop
from registry.config import Settings

STORY = (
    Path(__file__).parent / "story" / "report_a.ndjson",
    Path(__file__).parent / "story" / "report_b.ndjson",
)
LABEL = "demo"
"""Whose the key of the demo is."""
AGREEMENT = "pak-slv-2025-digital-assets"
TRY = (
    ("start here, in a browser", "/"),
    ("what is true now", f"/agreements/{AGREEMENT}"),
    ("the day before it was signed", f"/agreements/{AGREEMENT}?valid_as_of=2025-07-15"),
    ("what only the first report knew", f"/agreements/{AGREEMENT}?known_as_of=29"),
    ("the log itself", "/events?limit=3"),
)


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "demo",
        help="serve the demo story on this machine",
        description="Load two reports about one agreement into a SQLite database and serve it on 127.0.0.1: "
        "anybody may read, and a key that is printed at the start may do everything. Running it again finds the "
        "story loaded, adds nothing, and prints another key.",
    )
    parser.add_argument(
        "--data-dir", type=Path, default=Path("demo-data"), help="directory of the database (./demo-data)"
    )
    parser.add_argument("--port", default="8000", help="port to listen on (8000); 0 takes a free one")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Load the story once, say where to look, and serve."""
    from registry.cli.serve import serve

    try:
        arguments.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Stop(USAGE, f"cannot make {arguments.data_dir}: {error.strerror}") from error
    database = f"sqlite:///{arguments.data_dir.absolute() / 'registry.db'}"
    settings = settings_of(
        arguments,
        database=database,
        host="127.0.0.1",
        port=arguments.port,
        auth="on",
        public_read="true",
        log_format="text",
    )
    keys: list[str] = []

    def before() -> None:
        load(settings)
        keys.append(make_key(settings))

    serve(settings, before=before, ready=lambda url: invite(url, *keys))
    return DONE


def load(settings: Settings) -> None:
    """Append the story under the lock that the caller holds. Raises Stop when an event of it is refused."""
    from registry.cli.append import append_lines
    from registry.cli.lines import numbered
    from registry.cli.local import local
    from registry.cli.outcome import Tally

    tally = Tally()
    with local(settings) as to:
        for report in STORY:
            with report.open("rb") as stream:
                append_lines(to, list(numbered(stream, settings.max_event_bytes)), tally)
    if tally.refused:
        raise Stop(REFUSED, "the story was refused: the database in the data directory tells another one")
    if tally.appended:
        console.note(f"loaded the story of two reports: {tally.appended} events about {AGREEMENT}")
    else:
        console.note(f"the story is loaded already: {tally.replayed} events about {AGREEMENT}")


def make_key(settings: Settings) -> str:
    """Make a key with every scope in place of that of the last start, under the lock that the caller holds."""
    from registry.cli.database import writer_engine
    from registry.store.api_keys import KeyRequest, create, revoke_label

    with writer_engine(settings) as engine:
        revoke_label(engine, LABEL)
        _, key = create(engine, KeyRequest(label=LABEL, scopes=tuple(SCOPES)))
        return key


def invite(url: str, key: str) -> None:
    """Show the key, and say where to look."""
    console.note("anybody may read; to post, show this key, which holds until the demo is started again:")
    console.note(f"\n  export {API_KEY}={key}\n")
    width = max(len(what) for what, _ in TRY)
    console.note(f"serving {url} until Ctrl-C; try:\n")
    for what, path in TRY:
        console.note(f"  {what.ljust(width)}  {url}{path}")
    console.note(f"\n  {'or on the command line'.ljust(width)}  registry show {AGREEMENT} --url {url}\n")
