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

PACKAGES = ("litestar", "uvicorn", "granian", "uvloop", "msgspec", "sqlalchemy", "psycopg", "eventsourcing")
HEADINGS = (
    "rate/s",
    "lowest",
    "highest",
    "ratio",
    "p50 ms",
    "p99 ms",
    "cpu us",
    "db us",
    "rest s",
    "KB each",
)


def table(found: Sequence[Figure], costs: Sequence[Cost]) -> str:
    """Lay the figures out.

    ``ratio`` is the registry's rate, or else the first row's, to that of the row; ``cpu`` and ``db`` are
    processor time an event of the server and of PostgreSQL; ``rest`` is how long it went on working afterwards;
    ``KB`` is memory for each client.
    """
    lines = ["", f"{'':<14}" + "".join(f"{heading:>9}" for heading in HEADINGS)] if found else []
    task = ""
    for figure in found:
        if figure.task != task:
            task = figure.task
            lines += ["", task]
            first = find(found, "registry", task) or figure
        cells = (
            f"{figure.rate:,.0f}",
            f"{figure.lowest:,.0f}",
            f"{figure.highest:,.0f}",
            "" if figure is first else f"{first.rate / figure.rate:.2f}",
            _number(figure.p50_ms, 2),
            _number(figure.p99_ms, 2),
            _number(figure.subject_us, 0),
            _number(figure.database_us, 0),
            _number(figure.settled, 1),
            _number(figure.kilobytes, 1),
        )
        lines.append(f"  {figure.subject:<12}" + "".join(f"{cell:>9}" for cell in cells).rstrip())
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


def _verdict(aim: Aim) -> str:
    return "met" if aim.met else "missed"
