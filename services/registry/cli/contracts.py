"""``registry contracts``: the schemas of the events and the description of the API, as files."""

import json
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
        help="write the generated contracts",
        description="Write one JSON Schema an event type and the OpenAPI description of the API.",
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
    from registry.store.migrate import resource

    folder = arguments.to or resource("contracts")
    wanted = generated()
    stale = {name for name, text in wanted.items() if _text_of(folder / name) != text}
    gone = {path.name for path in folder.glob("*.json")} - set(wanted)
    if arguments.check:
        for name in sorted(stale | gone):
            console.note(f"stale: {folder / name}")
        console.say(
            f"{len(wanted)} contracts, {len(stale | gone)} stale"
            + ("; run `registry contracts`" if stale | gone else "")
        )
        return REFUSED if stale | gone else DONE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        for name in gone:
            (folder / name).unlink()
    except OSError as error:
        raise Stop(USAGE, f"cannot write to {folder}: {error.strerror}") from error
    console.say(f"{len(wanted)} contracts in {folder}: {len(stale)} written, {len(gone)} removed")
    return DONE


def generated() -> dict[str, str]:
    """Generate every contract: its text by the name of its file."""
    from registry.cli.serve import application
    from registry.domain.contracts import file_name, schemas

    documents: dict[str, Any] = {file_name(type_): schema for type_, schema in schemas().items()}
    documents["openapi.json"] = application(Settings()).openapi_schema.to_schema()
    return {
        name: json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for name, document in documents.items()
    }


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
