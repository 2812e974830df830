"""What it costs to keep responses in SQLite: the same model, with `store: false` and without.

    python benchmarks/storing.py

One gateway process and a chat upstream; clients ask 500 times a second, whether answers come or
not. The gateway has one core, all others the second. The two kinds of requests take turns, in short
rounds, and what a round costs is compared with the round right before it: the median of these
differences counts, for the machine is noisier than the store is dear. What counts is CPU time of
the gateway's process, threads of the store included, and how late its event loop was for a task
that runs every millisecond (`watched.py`). Linux only (`/proc`).
"""

import asyncio
import json
import os
import signal
import statistics
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path

import uvloop
from native_path import HERE, cpu_seconds, free_port, process

RATE = 500  # requests per second
SECONDS = 2
ROUNDS = 30
GATEWAYS_CORE, CLIENTS_CORE = 0, 1
CONFIG = """
model_list:
  - model_name: m
    litellm_params:
      {{model: openai_compatible/m, api_key: sk-none, api_base: "http://127.0.0.1:{upstream}/12/v1"}}
server: {{port: {port}}}
state: {{directory: "{folder}"}}
logging: {{level: warning}}
"""
QUESTION = "Tell me a three sentence bedtime story about a unicorn. " * 4


def request(*, kept: bool) -> bytes:
    asked = {"model": "m", "input": QUESTION} | ({} if kept else {"store": False})
    body = json.dumps(asked).encode()
    return (
        b"POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(body), body)
    )


class Load:
    """Asks at fixed times, each time over a connection that is free then."""

    def __init__(self, port: int, asked: bytes) -> None:
        self._port = port
        self._asked = asked
        self._free: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def run(self) -> None:
        start = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(RATE * SECONDS):
                await asyncio.sleep(max(0.0, start + number / RATE - time.perf_counter()))
                tasks.create_task(self._ask())
        for _, writer in self._free:
            writer.close()

    async def _ask(self) -> None:
        if self._free:
            reader, writer = self._free.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(self._asked)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(body.decode())
        self._free.append((reader, writer))


def lateness(pid: int, path: Path) -> list[float]:
    """Return how late the loop of `pid` has been since this was asked last, in order."""
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    while not path.exists():
        time.sleep(0.01)
    return sorted(json.loads(path.read_text()))


class Figures:
    """What the rounds with one kind of request have shown."""

    def __init__(self) -> None:
        self.microseconds: list[float] = []
        self.late: list[float] = []

    def add(self, cpu: float, late: list[float]) -> None:
        self.microseconds.append(cpu / (RATE * SECONDS) * 1e6)
        self.late += late

    def __str__(self) -> str:
        late = sorted(self.late)
        typical = statistics.median(self.microseconds)
        return f"{typical:12.0f} {late[len(late) * 999 // 1000] * 1e3:12.1f} {late[-1] * 1e3:12.1f}"


def measure(pid: int, port: int, path: Path) -> None:
    kinds = {
        "store: false": (request(kept=False), Figures()),
        "kept": (request(kept=True), Figures()),
    }
    for number in range(ROUNDS + 1):
        for asked, figures in kinds.values():
            lateness(pid, path)
            before = cpu_seconds(pid)
            uvloop.run(Load(port, asked).run())
            spent = cpu_seconds(pid) - before
            late = lateness(pid, path)
            if number:  # the first round warms everything up
                figures.add(spent, late)
    for name, (_, figures) in kinds.items():
        print(f"{name:>14} {figures}", flush=True)
    without, kept = (figures.microseconds for _, figures in kinds.values())
    more = [b - a for a, b in zip(without, kept, strict=True)]
    low, typical, high = statistics.quantiles(more)
    print(f"{'more':>14} {typical:12.0f} (half of the rounds: {low:.0f} to {high:.0f})")


def main() -> None:
    upstream, port = free_port(), free_port()
    os.sched_setaffinity(0, {CLIENTS_CORE})
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        config, path = Path(folder, "config.yaml"), Path(folder, "lateness.json")
        config.write_text(CONFIG.format(upstream=upstream, port=port, folder=folder))
        stack.enter_context(process(upstream, str(HERE / "upstream.py"), str(upstream)))
        os.sched_setaffinity(0, {GATEWAYS_CORE})
        pid = stack.enter_context(process(port, str(HERE / "watched.py"), str(config), str(path)))
        os.sched_setaffinity(0, {CLIENTS_CORE})
        print(f"{'':>14} {'CPU µs':>12} {'99.9 % ms':>12} {'longest ms':>12}")
        measure(pid, port, path)


if __name__ == "__main__":
    main()
