"""The table for people and the file for machines."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.aims import Aim, aims
from benchmarks.figures import Cost, Figure, find
from benchmarks.servers import CHECKOUT

PACKAGES = (
    "litestar",
    "uvicorn",
    "granian",
    "uvloop",
    "msgspec",
    "sqlalchemy",
    "psycopg",
    "eventsourcing",
    "umadb",
)
HEADINGS = (
    "rate/s",
    "lowest",
    "highest",
    "ratio",
    "p50 ms",
    "p99 ms",
    "cpu us",
    "db us",
    "load us",
    "ears us",
    "heard ms",
    "rest s",
    "KB each",
)


def table(found: Sequence[Figure], costs: Sequence[Cost]) -> str:
    """Lay the figures out.

    ``ratio`` is the registry's rate, or else the first row's, to that of the row; ``cpu`` and ``db`` are
    processor time an event of the server and of PostgreSQL, ``load`` of whoever posts and ``ears`` of all who listen;
    ``heard`` is how late they hear of an event; ``rest`` is how long the server went on working afterwards; ``KB`` is
    memory for each client.
    """
    width = max((len(figure.subject) for figure in found), default=0) + 2
    lines = ["", f"{'':<{width + 2}}" + "".join(f"{heading:>9}" for heading in HEADINGS)] if found else []
    task = ""
    for figure in found:
        if figure.task != task:
            task = figure.task
            lines += ["", task]
            first = find(found, "registry", task) or figure
        cells = (
            _rate(figure.rate),
            _rate(figure.lowest),
            _rate(figure.highest),
            "" if figure is first else f"{first.rate / figure.rate:.2f}",
            _number(figure.p50_ms, 2),
            _number(figure.p99_ms, 2),
            _number(figure.subject_us, 0),
            _number(figure.database_us, 0),
            _number(figure.load_us, 0),
            _number(figure.listeners_us, 0),
            _number(figure.heard_ms, 0),
            _number(figure.settled, 1),
            _number(figure.kilobytes, 1),
        )
        lines.append(f"  {figure.subject:<{width}}" + "".join(f"{cell:>9}" for cell in cells).rstrip())
    if costs:
        lines += ["", "in the process, microseconds an event"]
        lines += [f"  {cost.step:<56}{cost.microseconds:>9.1f}" for cost in costs]
    reached = aims(found)
    if reached:
        lines += ["", "aims"]
        lines += [
            f"  {_verdict(aim):<7} {aim.found:8,.2f} of {aim.wanted:<7,g} {aim.text}" for aim in reached
        ]
    return "\n".join(lines)


def write(folder: Path, found: Sequence[Figure], costs: Sequence[Cost], parameters: dict[str, Any]) -> Path:
    """Write everything as JSON, one file a run, and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    content = {
        "time": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "parameters": parameters,
        "figures": found,
        "costs": costs,
        "aims": aims(found),
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
    return path


def remember(path: Path, found: Sequence[Figure], parameters: dict[str, Any]) -> None:
    """Add one line for this run to the history: enough of it to see what has changed since the one before."""
    described = machine()
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": described["commit"],
        "machine": f"{described['processor']}, {described['cores']} cores",
        "python": described["python"],
        "load_before": round(parameters["load_before"], 2),
        "seconds": parameters["seconds"],
        "repetitions": parameters["repetitions"],
        "figures": {f"{figure.task}: {figure.subject}": _kept(figure) for figure in found},
        "aims": {aim.text: round(aim.found, 3) for aim in aims(found)},
    }
    with path.open("ab") as history:
        history.write(msgspec.json.encode(line) + b"\n")


def _kept(figure: Figure) -> dict[str, float]:
    values = {
        "rate": figure.rate,
        "p99_ms": figure.p99_ms,
        "cpu_us": figure.subject_us,
        "db_us": figure.database_us,
        "kb": figure.kilobytes,
    }
    return {name: float(f"{value:.4g}") for name, value in values.items() if value is not None}


def machine() -> dict[str, Any]:
    """Describe what the figures were taken on."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES if find_spec(name)},
        "commit": commit.stdout.strip(),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in text.split("\n") if line.startswith("model name")), ""
    )


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _rate(value: float) -> str:
    """Write a rate; of what happens only a few times a second with a fraction."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def _verdict(aim: Aim) -> str:
    return "met" if aim.met else "missed"
