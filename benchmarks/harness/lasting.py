"""What only shows over time or over load: memory over a million events, and more connections."""

import threading
import time
from contextlib import ExitStack

from msgspec.structs import replace

from harness.answers import frames_of
from harness.clients import Load
from harness.comparing import Contender, measure
from harness.machine import resident_kilobytes
from harness.plots import Points, draw_lines
from harness.report import Plot, Section, Table
from harness.systems import Stage, System
from harness.workloads import Effort

CONNECTIONS = (1, 4, 16, 64, 256)
EVENTS = 1_000_000
INTERVAL = 0.2  # seconds between two looks at the memory


class MemoryWatch:
    """Notes how much memory a system has, in `points` of events by the clock and megabytes."""

    def __init__(self, system: System) -> None:
        self.points: list[tuple[float, float]] = []
        self._system = system
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "MemoryWatch":
        self._began = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(INTERVAL):
            megabytes = resident_kilobytes(self._system.pid) / 1024
            self.points.append((time.perf_counter() - self._began, megabytes))


def memory(stage: Stage, effort: Effort, engine: str) -> Section:
    """Watch the memory of one process while a million events go through."""
    load = Load(answer="stream-108")
    load = replace(load, requests=round(EVENTS * effort.share / frames_of(load.answer)))
    warm_up = replace(load, requests=load.requests // 10)
    with ExitStack() as stack:
        upstream = stack.enter_context(stage.upstream())
        gateway = stack.enter_context(stage.gateway(upstream, engine))
        target = gateway.target(load.answer)
        stage.clients.run(target, warm_up)
        before = resident_kilobytes(gateway.pid) / 1024
        with MemoryWatch(gateway) as watch:
            seen = stage.clients.run(target, load)
        after = resident_kilobytes(gateway.pid) / 1024
    series: dict[str, Points] = {"gateway": [(0.0, before), *watch.points, (seen.seconds, after)]}
    title = f"Memory while {seen.events:,} events pass"
    row = (
        f"{seen.events:,}",
        f"{before:.1f}",
        f"{after:.1f}",
        f"{after - before:+.1f}",
        str(seen.lost),
    )
    return Section(
        title="Memory over a million events",
        method="Streams of 108 events through one process, after a tenth as many to warm it up.",
        tables=(Table(header=("events", "MB before", "MB after", "more", "lost"), rows=(row,)),),
        plots=(
            Plot(file="memory.svg", title=title, svg=draw_lines(title, ("seconds", "MB"), series)),
        ),
    )


def sweep(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure creates with more and more connections at once."""
    rows: list[tuple[str, ...]] = []
    latency: dict[str, list[tuple[float, float]]] = {"bare": [], "gateway": []}
    with ExitStack() as stack:
        upstream = stack.enter_context(stage.upstream())
        bare = stack.enter_context(stage.bare(upstream, engine))
        gateway = stack.enter_context(stage.gateway(upstream, engine))
        for count in CONNECTIONS:
            load = Load(answer="create", connections=count, seconds=effort.seconds)
            cells: list[str] = []
            for system in (bare, gateway):
                one = measure(stage.clients, Contender(name=system.name, system=system, load=load))
                whole, rate = one.seen.whole, one.seen.answered / one.seen.seconds
                latency[system.name].append((count, whole.p99))
                cells += [f"{one.cpu:.0f}", f"{rate:.0f}", f"{whole.p50:.2f} · {whole.p99:.2f}"]
            rows.append((str(count), *cells))
    columns = ("CPU µs", "/s", "ms 50 % · 99 %")
    header = [f"{name}, {column}" for name in latency for column in columns]
    title = "99 % of creates do not take longer than this"
    svg = draw_lines(title, ("connections", "ms"), dict(latency), log=True)
    return Section(
        title="More connections",
        method="Creates of 1 kB, one at a time for each connection, as fast as it goes.",
        tables=(Table(header=("connections", *header), rows=tuple(rows)),),
        plots=(Plot(file="connections.svg", title=title, svg=svg),),
    )
