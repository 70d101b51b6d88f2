"""``registry export``: the evidence about one agreement, or the whole log, as files that prove themselves."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, REFUSED, USAGE, Stop
from registry.cli.show import day
from registry.domain.attributes import subject_flaw
from registry.errors import NotFound

if TYPE_CHECKING:
    from registry.cli.export_of import Kept


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "export",
        help="write the evidence about an agreement, or the whole log, as files",
        description="Write a bundle that proves itself: the entries of an agreement with a proof for each, the last "
        "published checkpoint and a report to read. Without --agreement, the whole log into a directory.",
    )
    parser.add_argument("--agreement", metavar="ID", help="the agreement; without it, the whole log")
    parser.add_argument(
        "--output",
        metavar="DIR|FILE.zip",
        type=Path,
        help="where to write; a ZIP when it ends in .zip (<agreement>-<size>.zip)",
    )
    parser.add_argument(
        "--from",
        dest="kept",
        metavar="CHECKPOINT-FILE|SIZE",
        help="an earlier checkpoint that you kept, which the log is proved to extend",
    )
    parser.add_argument(
        "--valid-as-of", type=day, metavar="DAY", help="the day that decides its status (today in UTC)"
    )
    parser.add_argument("--withhold", action="store_true", help="hold personal values back")
    parser.add_argument("--reason", metavar="TEXT", help="why, for the access log; name nobody")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="ask the registry at this URL instead of the database")
    add_database(where)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Write the bundle; print where it is."""
    from registry.cli.export_of import Wanted, from_database, from_server, kept_checkpoint, write_down

    if arguments.agreement is None:
        return run_whole_log(arguments)
    if (flaw := subject_flaw(arguments.agreement)) is not None:
        raise NotFound(f"{arguments.agreement!r} {flaw}")
    kept = kept_checkpoint(arguments.kept)
    wanted = Wanted(
        agreement=arguments.agreement,
        from_size=kept.size,
        on=arguments.valid_as_of or today(),
        withhold=arguments.withhold,
        reason=arguments.reason,
    )
    url = arguments.url or write_down(settings_of(arguments), wanted)
    if url and arguments.withhold:
        raise Stop(USAGE, "what a server gives is what the key may see; --withhold is for the database")
    files = from_server(url, wanted) if url else from_database(settings_of(arguments), wanted)
    require_extended(files, kept)
    path = arguments.output or Path(f"{arguments.agreement}-{size_of(files)}.zip")
    write(files, path)
    console.note(
        f"the evidence about {arguments.agreement} below the checkpoint of {size_of(files):,} events"
    )
    console.say(str(path))
    return DONE


def run_whole_log(arguments: Namespace) -> int:
    """Write the whole log into a directory."""
    from registry.audit.whole_log import write_whole_log
    from registry.cli.database import reader
    from registry.cli.export_of import Wanted, keys_of, write_down

    if arguments.url or arguments.kept or arguments.valid_as_of or arguments.withhold:
        raise Stop(USAGE, "the whole log is exported from its database, as it is; name an --agreement")
    path: Path | None = arguments.output
    if path is None or path.suffix == ".zip":
        raise Stop(USAGE, "--output names the directory that the whole log is written into")
    settings = settings_of(arguments)
    write_down(settings, Wanted(reason=arguments.reason))
    with reader(settings) as opened, console.progress("exporting", None) as bar:
        keys = keys_of(settings, opened.head().origin)
        try:
            checkpoint = write_whole_log(
                opened,
                path,
                keys=keys,
                progress=lambda done, total: bar(done, f"{done:,} of {total:,}", total),
            )
        except OSError as error:
            raise cannot_write(path, error) from error
    console.note(
        f"the whole log of {checkpoint.origin}: {checkpoint.size:,} events, every open part with them"
    )
    console.say(str(path))
    return DONE


def require_extended(files: dict[str, bytes], kept: "Kept") -> None:
    """See that the log extends the very checkpoint that was kept. Raises Stop when it is of another history."""
    from registry.audit.bundle import CONSISTENCY, old_root

    if kept.root is not None and old_root(files[CONSISTENCY]) != kept.root:
        raise Stop(
            REFUSED,
            f"the log does not extend the checkpoint that was kept: its first {kept.size:,} events are others",
        )


def write(files: dict[str, bytes], path: Path) -> None:
    """Write a bundle for its owner's eyes: a ZIP, or a directory with the files. Raises Stop."""
    from registry.audit.bundle import zipped
    from registry.audit.files import write_new

    try:
        if path.suffix == ".zip":
            write_new(path, zipped(files), mode=0o600)
            return
        path.mkdir(mode=0o700)
        for name, content in files.items():
            write_new(path / name, content, mode=0o600)
    except OSError as error:
        raise cannot_write(path, error) from error


def size_of(files: dict[str, bytes]) -> int:
    """Read from the manifest of which size the checkpoint is."""
    import msgspec

    size: int = msgspec.json.decode(files["manifest.json"])["size"]
    return size


def cannot_write(path: Path, error: OSError) -> Stop:
    """Say why nothing was written; what is there already is never written over."""
    why = "it is there already" if isinstance(error, FileExistsError) else error.strerror or str(error)
    return Stop(USAGE, f"cannot write {path}: {why}")


def today() -> date:
    """Give today in UTC."""
    return datetime.now(UTC).date()
