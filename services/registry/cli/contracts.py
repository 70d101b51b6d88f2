"""``registry contracts``: the schemas of the events and the description of the API, as files."""

import asyncio
import json
import logging
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from registry import __version__
from registry.cli import console
from registry.cli.compatibility import breaks
from registry.cli.exits import DONE, REFUSED, USAGE, Stop
from registry.cli.narrowing import Break
from registry.config import Settings

DESCRIPTIONS = ("openapi.json", "asyncapi.json")
RELEASED = "released"
"""The folder, beside the contracts, with those of the last release."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "contracts",
        help="write the generated contracts and pages",
        description="Write one JSON Schema an event type, the OpenAPI description of the API and the AsyncAPI "
        "description of its streams; in a checkout also the pages of all event types, rules and routes.",
    )
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="where to (the contracts of this installation)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit code 1 when a file is stale, or breaks what was last released",
    )
    how.add_argument(
        "--release",
        action="store_true",
        help="also keep a copy as those of this version, with which later ones are compared",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Write what has changed, or say what would change."""
    from registry.domain.reference import events_page
    from registry.domain.rulebook import rules_page
    from registry.http.access_page import routes_page
    from registry.store.migrate import resource

    folder: Path = arguments.to or resource("contracts")
    generated = contracts()
    wanted = {folder / name: text for name, text in generated.items()}
    gone = set(folder.glob("*.json")) - set(wanted)
    if (docs := folder.parent / "docs").is_dir():  # an installed package has none
        wanted[docs / "events.md"] = events_page()
        wanted[docs / "rules.md"] = rules_page()
        wanted[docs / "routes.md"] = routes_page()
    stale = {path for path, text in wanted.items() if _text_of(path) != text}
    if arguments.check:
        for path in sorted(stale | gone):
            console.note(f"stale: {path}")
        broken = broken_by(generated, folder / RELEASED)
        for one in broken:
            console.note(f"breaks what was released: {one}")
        remedy = "; run `registry contracts`" if stale | gone else ""
        console.say(f"{len(wanted)} generated files, {len(stale | gone)} stale{remedy}")
        return REFUSED if stale | gone or broken else DONE
    if arguments.release:
        copy = folder / RELEASED / __version__
        gone |= set(copy.glob("*.json")) - {copy / name for name in generated}
        wanted |= {copy / name: text for name, text in generated.items()}
        stale = {path for path, text in wanted.items() if _text_of(path) != text}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        for path in gone:
            path.unlink()
    except OSError as error:
        raise Stop(USAGE, f"cannot write to {folder}: {error.strerror}") from error
    console.say(f"{len(wanted)} generated files in {folder}: {len(stale)} written, {len(gone)} removed")
    return DONE


def contracts() -> dict[str, str]:
    """Generate every contract: its text by the name of its file."""
    from registry.domain.contracts import file_name, schemas

    documents: dict[str, Any] = {file_name(type_): schema for type_, schema in schemas().items()}
    documents |= asyncio.run(described())
    return {
        name: json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for name, document in documents.items()
    }


async def described() -> dict[str, Any]:
    """Ask the application itself, which needs no database for this, so that both always say the same."""
    import httpx

    from registry.cli.examples import examples
    from registry.cli.serve import application

    logging.getLogger("httpx").setLevel(
        logging.WARNING
    )  # else the application's logging tells of the request
    service = application(Settings(access_lines=False))
    service.app.state.examples = await examples()
    transport = httpx.ASGITransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
        return {name: (await client.get(f"/{name}")).raise_for_status().json() for name in DESCRIPTIONS}


def released(folder: Path) -> dict[str, Any]:
    """Read the contracts of the last release, by the name of the file; none where nothing was released."""
    versions = [path for path in folder.glob("*") if path.is_dir()]
    if not versions:
        return {}
    last = max(versions, key=lambda path: tuple(map(int, path.name.split("."))))
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in last.glob("*.json")}


def broken_by(generated: dict[str, str], folder: Path) -> list[Break]:
    """Find which promises of the last release are not kept."""
    return breaks(released(folder), {name: json.loads(text) for name, text in generated.items()})


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
