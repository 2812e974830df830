"""The gateway, with a task that notes how late the event loop is for it.

    python benchmarks/watched.py CONFIG FILE

At each SIGUSR1 the lateness since the last one goes into FILE, a JSON list of seconds. Time that
the thread of the loop waited for a processor does not count: other work on the machine is to blame.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO

import uvloop

from gateway.config import load
from gateway.plugin.manager import Plugins
from gateway.server import serve

TICK = 0.001  # seconds


def queued(statistics: IO[bytes]) -> float:
    """Return how many seconds the thread of `statistics` has waited for a processor."""
    statistics.seek(0)
    return int(statistics.read(100).split()[1]) / 1e9


class Lateness:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: list[float] = []

    async def watch(self, statistics: IO[bytes]) -> None:
        while True:
            waited, before = queued(statistics), time.perf_counter()
            await asyncio.sleep(TICK)
            late = time.perf_counter() - before - TICK
            self._seen.append(late - (queued(statistics) - waited))

    def tell(self) -> None:
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(self._seen))
        draft.rename(self._path)
        self._seen = []


async def main(statistics: IO[bytes]) -> None:
    config, lateness = load(Path(sys.argv[1]), os.environ), Lateness(Path(sys.argv[2]))
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lateness.tell)
    watching = asyncio.create_task(lateness.watch(statistics))
    await serve(config, Plugins())
    watching.cancel()


with Path("/proc/thread-self/schedstat").open("rb", buffering=0) as mine:
    uvloop.run(main(mine))
