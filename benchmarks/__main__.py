"""``python -m benchmarks``: every figure in one run, side by side."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import growth, report
from benchmarks.over_http import Load
from benchmarks.servers import CHECKOUT
from benchmarks.suite import (
    LOADS,
    PARTS,
    QUICK_LOADS,
    QUICK_PARTS,
    QUICK_SUBJECTS,
    SUBJECTS,
    Size,
    run,
)

QUICK = Size(0.8, 1)
FULL = Size(1.2, 2)
HISTORY = CHECKOUT / "benchmarks" / "history.jsonl"
"""A line for each full run; to be committed with what changed it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the file."""
    chosen = _parser().parse_args(arguments)
    size = QUICK if chosen.quick else FULL
    size = Size(chosen.seconds or size.seconds, chosen.repetitions or size.repetitions)
    parts = chosen.parts or (QUICK_PARTS if chosen.quick else PARTS)
    load = os.getloadavg()[0]
    print(f"load of this machine in the minute before: {load:.2f}", flush=True)
    subjects = chosen.subjects or list(QUICK_SUBJECTS if chosen.quick else SUBJECTS)
    loads = chosen.loads or list(QUICK_LOADS if chosen.quick else LOADS)
    found, costs = run(size, parts, subjects, loads, chosen.sizes)
    print(report.table(found, costs))
    parameters = {**msgspec.structs.asdict(size), "parts": parts, "subjects": subjects, "load_before": load}
    path = report.write(chosen.results, found, costs, parameters)
    print(f"\nwritten to {os.path.relpath(path)}")
    if not chosen.quick and set(parts) == set(PARTS):
        report.remember(HISTORY, found, parameters)
        print(f"a line added to {os.path.relpath(HISTORY)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="about a minute: no full registry unless --parts has it, fewer servers, rougher figures",
    )
    parser.add_argument("--seconds", type=float, help="seconds of one measurement")
    parser.add_argument("--repetitions", type=int, help="measurements of each kind")
    parser.add_argument("--parts", nargs="+", choices=PARTS, help="what to measure")
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, help="the servers")
    parser.add_argument("--loads", nargs="+", type=_load, metavar="CLIENTSxBATCH", help="such as 32x1")
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=int,
        default=list(growth.SIZES),
        help=f"events of the logs that are compared, multiples of {growth.FIRST}",
    )
    parser.add_argument(
        "--results", type=Path, default=CHECKOUT / "bench-results", help="folder of the files"
    )
    return parser


def _load(text: str) -> Load:
    clients, batch = text.split("x")
    return Load(int(clients), int(batch))


if __name__ == "__main__":
    sys.exit(main())
