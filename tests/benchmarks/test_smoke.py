"""The benchmark runs, and what it writes holds a rate for everything it was asked to measure."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

CHECKOUT = Path(__file__).parents[2]

pytest.importorskip("psycopg_pool", reason="the dependency group bench is not installed")

pytestmark = pytest.mark.postgres


def test_a_tiny_run_measures_single_events_and_batches_and_loses_none(tmp_path):
    sizes = ["--seconds", "0.05", "--repetitions", "1", "--parts", "http", "--subjects", "baseline"]
    loads = ["--loads", "2x1", "1x100"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *sizes, *loads, "--results", tmp_path],
        cwd=CHECKOUT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [file] = tmp_path.iterdir()
    figures = msgspec.json.decode(file.read_bytes())["figures"]
    assert [figure["task"] for figure in figures] == [
        "HTTP, 2 clients, one event a request",
        "HTTP, 1 client, 100 events a request",
    ]
    assert all(figure["rate"] > 0 for figure in figures)
