"""What work costs, counted: the same on every machine, however busy it is."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

__all__ = ["VALGRIND_MISSING", "instructions", "most_held", "steps"]

HERE = Path(__file__).parent
_OURS = tuple(str(HERE.parents[1] / folder) + os.sep for folder in ("gateway", "plugins"))
_VALGRIND = Path("/usr/bin/valgrind")
VALGRIND_MISSING = not _VALGRIND.exists()


async def steps(once: Callable[[], Awaitable[None]]) -> int:
    """Return how many bytecode instructions of our own code one time takes.

    Those of the libraries do not count, nor does what C code does.
    """
    counted = 0

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        if not _is_ours(frame.f_code):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return step

    def step(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal counted
        counted += event == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        await once()  # Python 3.12 and later do not tell all the first time
        counted = 0
        await once()
    finally:
        sys.settrace(before)
    return counted


async def most_held(once: Callable[[], Awaitable[None]]) -> int:
    """Return how many bytes more than before are held at the worst moment of one time."""
    gc.collect()
    tracemalloc.start()
    try:
        await once()  # what is made once and kept does not count
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        await once()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def instructions(names: list[str], folder: Path) -> dict[str, float]:
    """Return how many processor instructions one time of each of these workloads takes.

    All code counts, that of the libraries and of Python too.
    """
    out = folder / "callgrind"
    program = [sys.executable, str(HERE / "workloads.py"), *names]
    options = ["--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    told = subprocess.run(
        [_VALGRIND, "--quiet", *options, *program],
        env=environment,
        capture_output=True,
        check=True,
    )
    times = int(told.stdout)
    return {name: _total(Path(f"{out}.{n}")) / times for n, name in enumerate(names, 1)}


def _total(dump: Path) -> int:
    with dump.open(errors="replace") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("totals:"))


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_OURS)
