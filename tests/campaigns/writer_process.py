"""One of several processes that append to one log: eight writers that race for expected versions.

Prints one line of JSON: for every version won, [agreement, version, position].
"""

import asyncio
import json
import sys

from registry.errors import VersionMismatch
from registry.store.database import open_writer
from registry.store.sequencer import Sequencer
from registry.store.states import States
from registry.store.writer import Writer
from store.conftest import PRINCIPAL, planned

WRITERS = 8


async def write(sequencer: Sequencer, name: str, agreements: list[str], events: int) -> list[list[object]]:
    """Append ``events`` events, each at the version believed current, and learn from each refusal."""
    won: list[list[object]] = []
    believed = dict.fromkeys(agreements, 1)
    for i in range(events):
        agreement = agreements[i % len(agreements)]
        posted = planned(agreement, f"{name}-{i}")
        while True:
            try:
                (receipt,) = await sequencer.append([posted], PRINCIPAL, expect=believed[agreement])
            except VersionMismatch as mismatch:
                believed[agreement] = mismatch.current
                continue
            believed[agreement] = receipt.version
            won.append([agreement, receipt.version, receipt.position])
            break
    return won


async def main(url: str, process: str, agreements: list[str], events: int) -> None:
    engine = open_writer(url)
    sequencer = Sequencer(Writer(engine, States(100_000)), queue_events=1000)
    sequencer.start()
    each = [write(sequencer, f"{process}-{w}", agreements, events // WRITERS) for w in range(WRITERS)]
    won = await asyncio.gather(*each)
    await sequencer.close()
    engine.dispose()
    print(json.dumps([win for wins in won for win in wins]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3].split(","), int(sys.argv[4])))
