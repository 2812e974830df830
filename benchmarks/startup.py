"""How long the gateway takes to start, and how much memory it idles with, against bare references.

    python benchmarks/startup.py [ROUNDS]

Each round runs everything once: a Python that does nothing, `import gateway` alone and with the
first use of a name, a hello on the bare libraries (`hello.py`), and the gateway with one native
model on `upstream.py`. Seconds count from the start of the process until it ends or has answered
its first request; memory is read after some more. Linux only (`/proc`).

Without bytecode is the worst case: Python compiles all that it imports, its own library included.
"""

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from native_path import HERE, cpu_seconds, free_port, process

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 15
ANSWERS = 200  # before memory is read
BODY = b'{"model": "m", "input": "Tell me a story."}'
CONFIG = """
model_list:
  - model_name: m
    litellm_params: {{model: openai/m, api_key: sk-none, api_base: "http://127.0.0.1:{port}/1/v1"}}
state: {{directory: {folder}}}
logging: {{level: warning}}
"""


class Figures(NamedTuple):
    """One run: seconds by the clock, seconds of CPU, and megabytes of memory that stay."""

    wall: float
    cpu: float
    resident: float


def environment(bytecode: Path, *, written: bool) -> dict[str, str]:
    """Keep the bytecode to ourselves: what lies about may be missing or stale."""
    ours = {
        "PYTHONPYCACHEPREFIX": str(bytecode),
        "PYTHONDONTWRITEBYTECODE": "" if written else "1",
    }
    return {**os.environ, **ours}


def run_to_its_end(variables: dict[str, str], *command: str) -> Figures:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, env=variables)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Figures(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 0.0)


def run_to_its_first_answer(variables: dict[str, str], port: int, *command: str) -> Figures:
    began = time.perf_counter()
    quiet = subprocess.DEVNULL
    child = subprocess.Popen([sys.executable, *command], stdout=quiet, env=variables)
    try:
        while not answers(port):
            if child.poll() is not None:
                raise SystemExit(f"{command} ended with {child.returncode}")
            time.sleep(0.002)
        wall, cpu = time.perf_counter() - began, cpu_seconds(child.pid)
        for _ in range(ANSWERS):
            answers(port)
        return Figures(wall, cpu, megabytes(child.pid))
    finally:
        child.terminate()
        child.wait()


def answers(port: int) -> bool:
    """Ask once. False while nobody listens on `port`."""
    connection = HTTPConnection("127.0.0.1", port)
    try:
        connection.request("POST", "/v1/responses", BODY, {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()
    if answer.status != 200:
        raise SystemExit(text.decode())
    return True


def megabytes(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def show(name: str, runs: Iterable[Figures]) -> None:
    wall, cpu, resident = zip(*runs, strict=True)
    middle = statistics.median
    memory = f"{middle(resident):8.1f}" if any(resident) else f"{'-':>8}"
    print(f"{name:>17} {middle(wall):8.3f} {min(wall):8.3f} {middle(cpu):8.3f} {memory}")


def cases(folder: Path, upstream: int) -> dict[str, Callable[[], Figures]]:
    config = folder / "config.yaml"
    config.write_text(CONFIG.format(port=upstream, folder=folder))
    warm = environment(folder / "bytecode", written=True)
    cold = environment(folder / "none", written=False)
    hello, ours = free_port(), free_port()
    bare = (str(HERE / "hello.py"), str(hello))
    used = "import gateway; gateway.responses"
    gateway = ("-m", "gateway", "--config", str(config), "--port", str(ours))
    return {
        "python": lambda: run_to_its_end(warm, "-c", "pass"),
        "import gateway": lambda: run_to_its_end(warm, "-c", "import gateway"),
        "gateway.responses": lambda: run_to_its_end(warm, "-c", used),
        "hello": lambda: run_to_its_first_answer(warm, hello, *bare),
        "gateway": lambda: run_to_its_first_answer(warm, ours, *gateway),
        "without bytecode": lambda: run_to_its_first_answer(cold, ours, *gateway),
    }


def measure(cases: dict[str, Callable[[], Figures]]) -> None:
    rounds = [{name: case() for name, case in cases.items()} for _ in range(ROUNDS + 1)]
    print(f"{'median':>26} {'fastest':>8} {'CPU s':>8} {'RSS MB':>8}")
    for name in cases:
        show(name, (figures[name] for figures in rounds[1:]))  # the first round compiles bytecode


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        with process(port, str(HERE / "upstream.py"), str(port)):
            measure(cases(Path(name), port))
