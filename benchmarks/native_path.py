"""What the gateway's own logic costs on the native path, beside a bare pass-through in one run.

    python benchmarks/native_path.py

Three processes: an upstream, the bare pass-through (`bare.py`) and the gateway. The two take turns
under the same load from this process; what counts is the CPU time of their process, not the clock.
Each figure is that of the cheapest round, for other work on the machine only ever adds to it. Linux
only (`/proc`).
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).parent
CONNECTIONS = 16
ROUNDS = 11
CASES = {"create": (1, 3200), "stream of 12": (12, 2400), "108": (108, 1200), "1,000": (1000, 320)}
CONFIG = """
model_list:
  - model_name: m
    litellm_params: {{model: openai/m, api_key: sk-none, api_base: "http://127.0.0.1:{port}/{events}/v1"}}
logging: {{level: warning}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pid: int) -> float:
    """Return what the threads of `pid` have spent: to the nanosecond, not in ticks."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


@contextmanager
def process(port: int, *command: str) -> Iterator[int]:
    """Run `python command…` until the block ends; yield its pid once it listens on `port`."""
    child = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    try:
        while child.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        if child.returncode is not None:
            raise SystemExit(f"{command} ended with {child.returncode}")
        yield child.pid
    finally:
        child.terminate()
        child.wait()


async def client(port: int, request: bytes, count: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode() + (await reader.read(2000)).decode())
        lower = head.lower()
        if b"content-length:" in lower:
            length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
        else:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
    writer.close()


async def load(port: int, model: str, *, stream: bool, count: int) -> None:
    body = b'{"model": "%s", "input": "Tell me a story.", "store": false%s}' % (
        model.encode(),
        b', "stream": true' if stream else b"",
    )
    request = (
        b"POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(body), body)
    )
    share = count // CONNECTIONS
    await asyncio.gather(*(client(port, request, share) for _ in range(CONNECTIONS)))


def microseconds(port: int, pid: int, *, stream: bool, count: int, model: str = "m") -> float:
    before = cpu_seconds(pid)
    asyncio.run(load(port, model, stream=stream, count=count))
    return (cpu_seconds(pid) - before) / (count // CONNECTIONS * CONNECTIONS) * 1e6


def measure(name: str, events: int, count: int) -> None:
    upstream, bare, ours = free_port(), free_port(), free_port()
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yaml")
        config.write_text(CONFIG.format(port=upstream, events=events))
        stack.enter_context(process(upstream, str(HERE / "upstream.py"), str(upstream)))
        address = f"http://127.0.0.1:{upstream}/{events}"
        bare_pid = stack.enter_context(process(bare, str(HERE / "bare.py"), address, str(bare)))
        ours_pid = stack.enter_context(
            process(ours, "-m", "gateway", "--config", str(config), "--port", str(ours))
        )
        rounds: list[tuple[float, float]] = []
        for number in range(ROUNDS + 1):
            pair = (
                microseconds(bare, bare_pid, stream=events > 1, count=count),
                microseconds(ours, ours_pid, stream=events > 1, count=count),
            )
            if number:  # the first round warms both up
                rounds.append(pair)
    theirs = min(pair[0] for pair in rounds)
    own = min(pair[1] for pair in rounds)
    ratio = own / theirs
    print(f"{name:>14} {theirs:10.0f} {own:10.0f} {own - theirs:+10.0f} {ratio:8.2f}", flush=True)


if __name__ == "__main__":
    print(f"{'CPU µs':>14} {'bare':>10} {'gateway':>10} {'more':>10} {'ratio':>8}")
    for case, (events, count) in CASES.items():
        measure(case, events, count)
