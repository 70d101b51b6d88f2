"""``registry-verify TARGET``: verify evidence without trusting whoever gave it."""

import argparse
import gc
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from registry import __version__
from registry.merkle.note import COSIGNATURE, ED25519, VerifierKey
from registry.verifier import sources
from registry.verifier.archive import zipped
from registry.verifier.database import is_sqlite
from registry.verifier.examine import Examination, Options
from registry.verifier.kept import default_state
from registry.verifier.keys import read_keys
from registry.verifier.outcome import HOLDS, INTERRUPTED, USAGE, Ended, malformed, unreadable
from registry.verifier.page import html
from registry.verifier.remote import fetching, files_below, parse_url
from registry.verifier.report import Report, as_json, in_words
from registry.verifier.walk import Progress

API_KEY = "REGISTRY_API_KEY"
COLOURS = {True: "32", False: "31"}
EPILOG = """exit codes: 0 all holds, under a key given; 1 something does not hold; 2 usage; 3 cannot be read;
4 holds, but no key given stands for it; 5 another history than the one seen before; 6 older than what was seen
before; 7 not what it claims to be; 8 not shown to extend what was seen before. docs/verify.md tells more."""


class Usage(Exception):
    """The command line is wrong; the text says how."""


def parser() -> argparse.ArgumentParser:
    """Put the command line together."""
    top = argparse.ArgumentParser("registry-verify", description=__doc__.split("\n")[0], epilog=EPILOG)
    top.add_argument(
        "target",
        metavar="TARGET",
        help="an evidence bundle (directory or ZIP), a SQLite database of a registry, a mirrored log (directory), "
        f"or the https:// URL of one; with {API_KEY} set, a log is read with its entries",
    )
    top.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="VKEY|FILE",
        help="verifier key of the log, from its operator",
    )
    top.add_argument(
        "--witness", action="append", default=[], metavar="VKEY|FILE", help="verifier key of a witness"
    )
    top.add_argument(
        "--state", type=Path, metavar="DIR", help="where the last checkpoint of each log is kept"
    )
    top.add_argument("--no-state", action="store_true", help="keep nothing, and look at nothing kept")
    top.add_argument("--since", type=Path, metavar="CHECKPOINT", help="an earlier checkpoint it must extend")
    top.add_argument(
        "--foreign", action="store_true", help="a log of another kind: hash its entries, read none"
    )
    top.add_argument("--proofs-only", action="store_true", help="do not replay the events")
    top.add_argument("--json", action="store_true", help="as one JSON object")
    top.add_argument("--report", type=Path, metavar="FILE.html", help="write the report as a page as well")
    top.add_argument("--version", action="version", version=f"registry-verify {__version__}")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Verify one target and return the exit code."""
    arguments = parser().parse_args(argv)
    collecting = gc.isenabled()
    gc.disable()  # nothing here makes cycles, and looking for them among the states of a whole log takes seconds
    try:
        options = _options(arguments)
        report = verify(arguments.target, options)
        if arguments.report is not None:
            arguments.report.write_text(html(report), encoding="utf-8")
    except Usage as error:
        print(f"registry-verify: {error}", file=sys.stderr)
        return USAGE
    except OSError as error:
        print(f"registry-verify: {error.filename}: {error.strerror}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if collecting:
            gc.enable()
    print(json.dumps(as_json(report), indent=2) if arguments.json else _text(report))
    return report.code


def verify(target: str, options: Options) -> Report:
    """Verify one target. Raises Usage when it is of no kind that is verified here."""
    report = Report(target)
    try:
        _look(Examination(report, options), target)
    except Ended as ended:
        report.problems.append(ended.problem)
    return report


def _look(examination: Examination, target: str) -> None:
    scheme = urlsplit(target).scheme
    if scheme.startswith("postgresql"):
        raise Usage("a PostgreSQL database is verified by `registry verify`; give a bundle or a URL here")
    if "://" in target:
        try:
            parse_url(target)
        except ValueError as error:
            raise Usage(str(error)) from error
        with fetching(target, examination.options.api_key) as fetch:
            sources.of_log(examination, fetch, "log over HTTP", live=True)
        return
    path = Path(target)
    try:
        if path.is_dir():
            _look_at_directory(examination, path)
        elif is_sqlite(path):
            sources.of_database(examination, path)
        elif zipped(path):
            sources.of_bundle(examination, path)
        else:
            raise malformed(target, "it is neither a ZIP nor a SQLite database")
    except OSError as error:
        raise unreadable(target, error.strerror or "it cannot be opened") from error


def _look_at_directory(examination: Examination, path: Path) -> None:
    if (path / "manifest.json").exists() or not (path / "tile").is_dir():
        sources.of_bundle(examination, path)
        return
    with files_below(path) as fetch:
        sources.of_log(examination, fetch, "mirrored log", live=False)


def _options(arguments: argparse.Namespace) -> Options:
    if arguments.state is not None and arguments.no_state:
        raise Usage("--state and --no-state exclude each other")
    state = None if arguments.no_state else arguments.state or default_state()
    return Options(
        keys=_keys(arguments.key, ED25519, "--key"),
        witnesses=_keys(arguments.witness, COSIGNATURE, "--witness"),
        state=state,
        since=arguments.since,
        api_key=os.environ.get(API_KEY, ""),
        proofs_only=arguments.proofs_only,
        foreign=arguments.foreign,
        progress=_progress(),
    )


def _keys(given: Sequence[str], kind: int, option: str) -> tuple[VerifierKey, ...]:
    keys: list[VerifierKey] = []
    for one in given:
        try:
            keys += read_keys(one)
        except ValueError as error:
            raise Usage(f"{option}: {error}") from error
        except OSError as error:
            raise Usage(f"{option}: {one} is no verifier key, and no file that can be read") from error
    if any(key.type != kind for key in keys):
        raise Usage(f"{option}: the key is of another kind than such a key has")
    return tuple(keys)


def _text(report: Report) -> str:
    said = in_words(report)
    width = max(len(what) for what, _ in said)
    lines = [f"{what.ljust(width)}  {text}" for what, text in said]
    return "\n".join(
        [*lines, _coloured(f"{report.verdict} (exit code {report.code})", COLOURS[report.code == HOLDS])]
    )


def _coloured(text: str, code: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"


def _progress() -> Progress:
    if not sys.stderr.isatty():
        return lambda _done, _total: None

    def show(done: int, total: int) -> None:
        share = min(done / max(total, 1), 1.0)
        bar = "#" * round(share * 30)
        end = "\r\x1b[K" if share == 1.0 else ""
        print(f"\rverifying [{bar:<30}] {done:,} events{end}", end="", file=sys.stderr, flush=True)

    return show


if __name__ == "__main__":
    sys.exit(main())
