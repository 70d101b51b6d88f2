"""``registry serve`` with a heartbeat in its event loop, which writes down for how long the loop let it wait.

The first argument is a file; the rest is the command line. A line of the file is a beat that came late: the processor
seconds that the thread of the loop has used since the one before, and by how many seconds of the clock it was late.
"""

import asyncio
import sys
import time
from typing import Any, TextIO

from registry import __main__ as command_line
from registry.cli import connection, serve

HERE = "127.0.0.1"
"""The one address that is of this machine; whoever comes from another of 127.0.0.0/8 counts as one from outside."""
BEAT = 0.005
"""Seconds between two beats."""
LATE = 0.002
"""Processor seconds of the loop, or seconds by the clock, from which on a beat is written down."""


async def beat(file: TextIO) -> None:
    """Beat until cancelled."""
    while True:
        used, began = time.thread_time(), time.monotonic()
        await asyncio.sleep(BEAT)
        thread, late = time.thread_time() - used, time.monotonic() - began - BEAT
        if thread > LATE or late > LATE:
            print(f"{thread:.6f} {late:.6f}", file=file, flush=True)


def main(path: str, arguments: list[str]) -> int:
    """Serve, and beat."""
    application = serve.application
    with open(path, "w") as file:  # noqa: PTH123

        def probed(settings: Any) -> Any:
            service = application(settings)

            async def begin() -> None:
                service.app.state.beat = asyncio.create_task(beat(file))

            service.app.on_startup.append(begin)
            return service

        serve.application = probed
        connection.is_loopback = HERE.__eq__
        return command_line.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
