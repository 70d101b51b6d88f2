"""``python -m benchmarks``: every figure in one run, side by side."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import report
from benchmarks.over_http import Load
from benchmarks.servers import CHECKOUT
from benchmarks.suite import LOADS, PARTS, QUICK_PARTS, SUBJECTS, Size, run

QUICK = Size(0.8, 2)
FULL = Size(2.0, 5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the file."""
    chosen = _parser().parse_args(arguments)
    size = QUICK if chosen.quick else FULL
    size = Size(chosen.seconds or size.seconds, chosen.repetitions or size.repetitions)
    parts = chosen.parts or (QUICK_PARTS if chosen.quick else PARTS)
    load = os.getloadavg()[0]
    print(f"load of this machine in the minute before: {load:.2f}", flush=True)
    found, costs = run(size, parts, chosen.subjects, chosen.loads)
    print(report.table(found, costs))
    parameters = {**msgspec.structs.asdict(size), "parts": parts, "subjects": chosen.subjects}
    path = report.write(chosen.results, found, costs, {**parameters, "load_before": load})
    print(f"\nwritten to {os.path.relpath(path)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="about a minute: no full registry unless --parts has it, rougher figures",
    )
    parser.add_argument("--seconds", type=float, help="seconds of one measurement")
    parser.add_argument("--repetitions", type=int, help="measurements of each kind")
    parser.add_argument("--parts", nargs="+", choices=PARTS, help="what to measure")
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS), help="the servers")
    parser.add_argument(
        "--loads", nargs="+", type=_load, default=list(LOADS), metavar="CLIENTSxBATCH", help="such as 32x1"
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
