"""The clients of one attack, in a process of its own that stands behind all others (``nice``).

Each begins anew when the server has let go of it, until the seconds are over; what it then does for the first time it
does to the end. Prints one line of JSON: how often each
status was told, how many seconds it lasted, and the processor seconds of the process.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from contextlib import suppress

from campaigns.attacks import ATTACKS, one, status_of


async def attack(name: str, port: int, address: str, number: int, seconds: float) -> dict[str, object]:
    """Run so many clients until the seconds are over, each at least once."""
    hostile = ATTACKS[name][1]
    told: Counter[str] = Counter()
    began, used = time.monotonic(), time.process_time()

    async def again() -> None:
        told[status_of(await one(port, address, hostile)).decode("latin-1")] += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(began + seconds - time.monotonic()):
                while True:
                    told[status_of(await one(port, address, hostile)).decode("latin-1")] += 1

    await asyncio.gather(*(again() for _ in range(number)))
    return {"told": told, "lasted": time.monotonic() - began, "cpu": time.process_time() - used}


if __name__ == "__main__":
    os.nice(19)
    _, name, port, address, number, seconds = sys.argv
    print(json.dumps(asyncio.run(attack(name, int(port), address, int(number), float(seconds)))))
