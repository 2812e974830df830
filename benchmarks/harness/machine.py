"""What the kernel knows: processor time and memory of process trees, cores, and who else works."""

import os
import platform
import re
import resource
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
Core = frozenset[int]


class Cores(NamedTuple):
    """Where the system under test, the upstream and the clients run."""

    tested: Core
    upstream: Core
    clients: Core


def share_out() -> Cores:
    """Return three sets of cores that overlap as little as this machine allows."""
    cores = sorted(os.sched_getaffinity(0))
    first, last = frozenset({cores[0]}), frozenset({cores[-1]})
    return Cores(first, frozenset({cores[-2]}) if len(cores) > 2 else last, last)


@contextmanager
def on_cores(cores: Core) -> Generator[None]:
    """Have what is started meanwhile run on `cores`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def family(pid: int) -> Iterator[int]:
    """Yield `pid` and all that descend from it."""
    yield pid
    for children in (PROC / str(pid) / "task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in children.read_text().split():
                yield from family(int(child))


def cpu_seconds(pid: int) -> float:
    """Return what the threads of `pid` and of its children have spent, to the nanosecond."""
    spent = 0
    for member in family(pid):
        for thread in (PROC / str(member) / "task").glob("*/schedstat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                spent += int(thread.read_text().split()[0])
    return spent / 1e9


def resident_kilobytes(pid: int) -> int:
    """Return the memory of `pid` and of its children that is in use; what they share counts twice.

    Not VmRSS, which the kernel adds up from counters that lag behind.
    """
    total = 0
    for member in family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            text = (PROC / str(member) / "smaps_rollup").read_text()
            found = re.search(r"Rss:\s+(\d+) kB", text)
            total += int(found[1]) if found else 0
    return total


class Watch:
    """Sees what share of the machine others have had since it was made."""

    def __init__(self) -> None:
        self._began, self._busy = uptime(), busy_seconds()
        self._ours = our_seconds()

    def others(self) -> float:
        """Return how many cores others kept busy, on average."""
        elapsed = uptime() - self._began
        busy, ours = busy_seconds() - self._busy, our_seconds() - self._ours
        return max(0.0, (busy - ours) / elapsed)


def uptime() -> float:
    return float((PROC / "uptime").read_text().split()[0])


def busy_seconds() -> float:
    """Return what all cores have worked since they were started, time stolen by a host included."""
    fields = (PROC / "stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = map(int, fields)
    return (user + nice + system + interrupts + soft_interrupts + stolen) / TICKS


def our_seconds() -> float:
    """Return what this process, its children and those that have ended have spent."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cpu_seconds(os.getpid()) + ended.ru_utime + ended.ru_stime


def describe() -> str:
    processor = re.search(r"model name\s*:\s*(.+)", (PROC / "cpuinfo").read_text())
    name = processor[1] if processor else platform.machine()
    cores = len(os.sched_getaffinity(0))
    return f"{name}, {cores} cores, Linux {platform.release()}, Python {platform.python_version()}"
