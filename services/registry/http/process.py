"""The process in numbers: memory, processor, garbage collection, files; by the names that Prometheus gives them."""

import gc
import os
import platform
import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from registry import __version__
from registry.figures import Family, counter, counters, gauge

PROC = Path("/proc/self")
"""What Linux says of the process; elsewhere there is no such place, and less to say."""
KILO = 1024


def process_families() -> list[Family]:
    """Give the numbers of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    collected = gc.get_stats()
    return [
        counter(
            "process_cpu_seconds_total", "Processor seconds used", round(used.ru_utime + used.ru_stime, 2)
        ),
        *_by_linux(),
        gauge(
            "process_max_resident_memory_bytes",
            "The most memory that was held",
            used.ru_maxrss * (1 if sys.platform == "darwin" else KILO),
        ),
        gauge("process_threads", "Threads of the interpreter", threading.active_count()),
        counters(
            "python_gc_collections_total",
            "Garbage collections, by generation",
            [((("generation", str(n)),), each["collections"]) for n, each in enumerate(collected)],
        ),
        counters(
            "python_gc_objects_collected_total",
            "Objects that garbage collections have freed, by generation",
            [((("generation", str(n)),), each["collected"]) for n, each in enumerate(collected)],
        ),
    ]


def build_info(database: str) -> Family:
    """Tell which software this is, as labels of a number that is always 1."""
    labels = (
        ("version", __version__),
        ("python", platform.python_version()),
        ("database", database),
    )
    return gauge("registry_build_info", "The software; always 1", 1, labels)


def _by_linux() -> Iterator[Family]:
    try:
        resident = int((PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        files = len(list((PROC / "fd").iterdir()))
        began = int((PROC / "stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        booted = next(
            int(line.split()[1])
            for line in (PROC.parent / "stat").read_text().splitlines()
            if line.startswith("btime")
        )
    except (OSError, StopIteration):
        return
    yield gauge("process_resident_memory_bytes", "Memory that is held", resident)
    yield gauge("process_open_fds", "Open files and sockets", files)
    yield gauge(
        "process_start_time_seconds", "When it began, in seconds since 1970", round(booted + began, 2)
    )
