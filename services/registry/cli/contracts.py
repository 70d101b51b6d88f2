"""``registry contracts``: the schemas of the events and the description of the API, as files."""

import asyncio
import json
import logging
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from registry.cli import console
from registry.cli.exits import DONE, REFUSED, USAGE, Stop
from registry.config import Settings


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "contracts",
        help="write the generated contracts and pages",
        description="Write one JSON Schema an event type and the OpenAPI description of the API; in a "
        "checkout also the page of all event types.",
    )
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="where to (the contracts of this installation)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 when a file is stale"
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Write what has changed, or say what would change."""
    from registry.domain.reference import events_page
    from registry.domain.rulebook import rules_page
    from registry.store.migrate import resource

    folder: Path = arguments.to or resource("contracts")
    wanted = {folder / name: text for name, text in contracts().items()}
    gone = set(folder.glob("*.json")) - set(wanted)
    if (docs := folder.parent / "docs").is_dir():  # an installed package has none
        wanted[docs / "events.md"] = events_page()
        wanted[docs / "rules.md"] = rules_page()
    stale = {path for path, text in wanted.items() if _text_of(path) != text}
    if arguments.check:
        for path in sorted(stale | gone):
            console.note(f"stale: {path}")
        remedy = "; run `registry contracts`" if stale | gone else ""
        console.say(f"{len(wanted)} generated files, {len(stale | gone)} stale{remedy}")
        return REFUSED if stale | gone else DONE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in stale:
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
    documents["openapi.json"] = asyncio.run(openapi())
    return {
        name: json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for name, document in documents.items()
    }


async def openapi() -> Any:
    """Ask the application itself, which needs no database for this, so that both always say the same."""
    import httpx

    from registry.cli.serve import application

    logging.getLogger("httpx").setLevel(
        logging.WARNING
    )  # else the application's logging tells of the request
    transport = httpx.ASGITransport(application(Settings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
        response = await client.get("/openapi.json")
    return response.raise_for_status().json()


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
