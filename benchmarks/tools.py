"""What MCP calls cost, and what others notice of 200 streams with them and of a dead server.

    python benchmarks/tools.py

A gateway, a model and MCP servers (`tool_peers.py`), and clients that each ask for one stream after
the other. The gateway has one core for itself, all others the second. A process of its own asks for
`/health/live` 200 times a second meanwhile and notes how long that takes. Linux only (`/proc`).
"""

import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import uvloop
from native_path import HERE, cpu_seconds, free_port, process

STREAMS = 200
DOOMED = 20  # of them, which have the dead server among their tools
SECONDS = 20
ALONE = 300  # streams, one after the other
INTERVAL = 0.005  # seconds between two questions for health
GATEWAYS_CORE, CLIENTS_CORE = 0, 1
CONFIG = """
model_list:
  - model_name: burst
    litellm_params: {{model: openai_compatible/m, api_key: sk-none, api_base: "http://127.0.0.1:{peers}/v1"}}
  - model_name: paced
    litellm_params:
      {{model: openai_compatible/m, api_key: sk-none, api_base: "http://127.0.0.1:{peers}/paced/v1"}}
server: {{port: {port}}}
state: {{directory: "{folder}", store: none}}
tools: {{private_addresses: true}}
logging: {{level: error}}
"""


class Ports(NamedTuple):
    """Where everybody is. Nobody is at `nobody`."""

    gateway: int
    peers: int
    dead: int
    nobody: int


class Case(NamedTuple):
    """A load: what most clients ask for, and some."""

    name: str
    asked: bytes
    doomed: bytes | None = None


def request(model: str, *ports: int) -> bytes:
    tools = [
        {
            "type": "mcp",
            "server_label": f"server{number}",
            "server_url": f"http://127.0.0.1:{port}/mcp",
            "require_approval": "never",
        }
        for number, port in enumerate(ports)
    ]
    asked: dict[str, Any] = {"model": model, "input": "Say a word.", "store": False, "stream": True}
    body = json.dumps(asked | ({"tools": tools} if tools else {})).encode()
    return (
        b"POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(body), body)
    )


def queued(pid: int) -> float:
    """Return how many seconds the loop of `pid` has waited for a processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def hurry(pid: int) -> None:
    """Have others who work on this machine keep the loop of `pid` waiting as little as possible."""
    with suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(1))


class Load:
    """Clients that ask until the time is over; `done` and `failed` count their streams."""

    def __init__(self, port: int, case: Case) -> None:
        self.done = 0
        self.failed = 0
        self._port = port
        self._case = case
        self._end = 0.0

    async def run(self, seconds: float) -> None:
        self._end = time.perf_counter() + seconds
        doomed = DOOMED if self._case.doomed else 0
        async with asyncio.TaskGroup() as tasks:
            for number in range(STREAMS):
                tasks.create_task(self._ask(number / STREAMS, doomed=number < doomed))

    async def _ask(self, delay: float, *, doomed: bool) -> None:
        await asyncio.sleep(delay)
        asked = self._case.doomed if doomed and self._case.doomed else self._case.asked
        end = b"response.failed" if doomed else b"response.completed"
        connection = await asyncio.open_connection("127.0.0.1", self._port)
        with suppress(TimeoutError):  # whoever waits for a dead server need not see its end
            async with asyncio.timeout(self._left):
                while self._left > 0:
                    await stream(*connection, asked, end)
                    self.failed += doomed
                    self.done += not doomed
                    await asyncio.sleep(doomed)  # who is refused at once waits before the next try
        connection[1].close()

    @property
    def _left(self) -> float:
        return self._end - time.perf_counter()


async def stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: bytes, end: bytes
) -> None:
    """Ask for one stream, and read it to its end, which must be an event of this type."""
    writer.write(asked)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit((head + await reader.read(2000)).decode())
    body = b""
    _, _, length = head.partition(b"content-length: ")
    if length:  # all of it was there at once
        body = await reader.readexactly(int(length.split(b"\r\n")[0]))
    else:
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    if b"event: " + end not in body:
        raise SystemExit(body.decode())


def probe(port: int, results: Any, over: Any) -> None:
    """Ask for health until it is `over`, and put the seconds of each answer into `results`."""
    hurry(0)  # the clients are on the same core
    seen: list[float] = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not over.is_set():
            begun = time.perf_counter()
            connection.sendall(b"GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            seen.append(time.perf_counter() - begun)
            time.sleep(INTERVAL)
    results.put(seen)


def watched(port: int, load: Load) -> Sequence[float]:
    """Run `load`, and return how many seconds each question for health has taken, in order."""
    results, over = multiprocessing.Queue(), multiprocessing.Event()
    prober = multiprocessing.Process(target=probe, args=(port, results, over))
    prober.start()
    uvloop.run(load.run(SECONDS))
    over.set()
    seen = results.get()
    prober.join()
    return sorted(seen)


def crowd(pid: int, ports: Ports) -> None:
    """Print how 200 streams at once do, and how soon the gateway tells of its health."""
    hurry(pid)
    cases: list[Case] = []
    for model in ("paced", "burst"):
        plain, fast = request(model), request(model, ports.peers)
        dead = request(model, ports.peers, ports.dead)
        refusing = request(model, ports.peers, ports.nobody)
        cases += [
            Case(f"{model}, no tools", plain),
            Case("MCP calls", fast),
            Case("and a dead server", fast, dead),
            Case("and one that refuses", fast, refusing),
        ]
    names = ("streams/s", "failed", "core", "waited", "p50 ms", "p99 ms", "longest")
    print(f"{'':>22}", *(f"{name:>9}" for name in names))
    for case in cases:
        load = Load(ports.gateway, case)
        uvloop.run(load.run(2))  # warm up
        load.done = load.failed = 0
        busy, waited = -cpu_seconds(pid), -queued(pid)
        seen = watched(ports.gateway, load)
        shares = (busy + cpu_seconds(pid)) / SECONDS, (waited + queued(pid)) / SECONDS
        times = seen[len(seen) // 2], seen[len(seen) * 99 // 100], seen[-1]
        print(f"{case.name:>22} {load.done / SECONDS:9.0f} {load.failed:9}", end="")
        print(
            *(f"{share:9.0%}" for share in shares), *(f"{t * 1e3:9.1f}" for t in times), flush=True
        )


async def alone(port: int, pid: int, asked: bytes) -> tuple[float, float]:
    """Return the milliseconds that a stream takes by the clock, and those of the processor."""
    connection = await asyncio.open_connection("127.0.0.1", port)
    seen: list[float] = []
    before = cpu_seconds(pid)
    for _ in range(ALONE):
        begun = time.perf_counter()
        await stream(*connection, asked, b"response.completed")
        seen.append(time.perf_counter() - begun)
    connection[1].close()
    return statistics.median(seen) * 1e3, (cpu_seconds(pid) - before) / ALONE * 1e3


def call(pid: int, ports: Ports) -> None:
    """Print what one call adds to a stream, when there is nothing else to do."""
    kinds = {"no tools": request("burst"), "an MCP call": request("burst", ports.peers)}
    figures: dict[str, tuple[float, float]] = {}
    for name, asked in kinds.items():
        rounds = [uvloop.run(alone(ports.gateway, pid, asked)) for _ in range(6)][1:]
        figures[name] = min(clock for clock, _ in rounds), min(cpu for _, cpu in rounds)
    print(f"{'':>22} {'ms':>7} {'CPU ms':>7}")
    for name, (clock, cpu) in figures.items():
        print(f"{name:>22} {clock:7.2f} {cpu:7.2f}")
    without, called = figures.values()
    print(f"{'more':>22} {called[0] - without[0]:7.2f} {called[1] - without[1]:7.2f}", flush=True)


def main() -> None:
    ports = Ports(free_port(), free_port(), free_port(), free_port())
    os.sched_setaffinity(0, {CLIENTS_CORE})
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        config = Path(folder, "config.yaml")
        config.write_text(CONFIG.format(peers=ports.peers, port=ports.gateway, folder=folder))
        peers = (str(HERE / "tool_peers.py"), str(ports.peers), str(ports.dead))
        stack.enter_context(process(ports.peers, *peers))
        os.sched_setaffinity(0, {GATEWAYS_CORE})
        gateway = process(ports.gateway, "-m", "gateway", "--config", str(config))
        pid = stack.enter_context(gateway)
        os.sched_setaffinity(0, {CLIENTS_CORE})
        call(pid, ports)
        crowd(pid, ports)


if __name__ == "__main__":
    main()
