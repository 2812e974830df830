"""Those who stay: idle streams, idle connections, and readers that are slow."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from harness.clients import Load, Seen
from harness.machine import cpu_seconds, resident_kilobytes
from harness.report import Section, Table
from harness.systems import Stage, System
from harness.workloads import Effort, paced_load

WARM_UP = Load(answer="create", requests=500)
PROBE = Load(answer="create", rate=100, seconds=2)


class Held(NamedTuple):
    """What some that stay cost a system: memory of each, CPU of all, and others' latency."""

    kilobytes: float
    cpu_share: float
    probed: Seen
    lost: int


@contextmanager
def each(stage: Stage, engine: str) -> Generator[list[System]]:
    """Run a bare pass-through and a gateway that have answered some requests before."""
    with (
        stage.upstream() as upstream,
        stage.bare(upstream, engine) as bare,
        stage.gateway(upstream, engine) as gateway,
    ):
        for system in (bare, gateway):
            stage.clients.run(system.target(WARM_UP.answer), WARM_UP)
        yield [bare, gateway]


def hold(stage: Stage, system: System, load: Load, seconds: float) -> Held:
    before = resident_kilobytes(system.pid)
    with stage.clients.staying(system.target(load.answer), load) as stay:
        memory = resident_kilobytes(system.pid) - before
        spent, began = cpu_seconds(system.pid), time.perf_counter()
        time.sleep(seconds)
        share = (cpu_seconds(system.pid) - spent) / (time.perf_counter() - began)
        probed = stage.clients.run(system.target(PROBE.answer), PROBE)
    return Held(memory / load.connections, share, probed, stay.last.lost)


def held_table(found: dict[str, Held]) -> Table:
    rows = [
        (
            name,
            f"{held.kilobytes:.1f}",
            f"{held.cpu_share * 100:.1f}",
            f"{held.probed.whole.p50:.2f} · {held.probed.whole.p99:.2f}",
            str(held.lost + held.probed.lost),
        )
        for name, held in found.items()
    ]
    header = ("", "kB each", "% of a core", "a create meanwhile, ms 50 % · 99 %", "lost")
    return Table(header=header, rows=tuple(rows))


def idle_streams(stage: Stage, effort: Effort, engine: str) -> Section:
    count = round(1000 * effort.share)
    load = Load(answer="stream-108@0", connections=count, rate=500, stay=True)
    with each(stage, engine) as systems:
        found = {system.name: hold(stage, system, load, 5 * effort.share) for system in systems}
    return Section(
        title=f"{count:,} idle streams",
        method="Each has had its first event, and nothing since. Bare sends no comments meanwhile,"
        " the gateway one every 15 seconds.",
        tables=(held_table(found),),
    )


def idle_connections(stage: Stage, effort: Effort, engine: str) -> Section:
    count = round(10_000 * effort.share)
    load = Load(answer="create", connections=count, rate=1000, stay=True)
    with each(stage, engine) as systems:
        found = {system.name: hold(stage, system, load, 3 * effort.share) for system in systems}
    return Section(
        title=f"{count:,} idle connections",
        method="Each has asked for one response, and keeps its connection.",
        tables=(held_table(found),),
    )


def slow_readers(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure what paced streams notice of ten clients that read far too slowly."""
    others = paced_load(effort, 90)
    slow = Load(answer="stream-100000", connections=10, rate=100, read_rate=1000, stay=True)
    rows: list[tuple[str, ...]] = []
    with each(stage, engine) as systems:
        for system in systems:
            target = system.target(others.answer)
            alone = stage.clients.run(target, others)
            before = resident_kilobytes(system.pid)
            with stage.clients.staying(system.target(slow.answer), slow) as stay:
                beside = stage.clients.run(target, others)
                memory = resident_kilobytes(system.pid) - before
            lost = alone.lost + beside.lost + stay.last.lost
            rows.append(slow_row(system.name, memory, (alone, beside), lost))
    header = ("", "kB for each slow reader", "others' delay alone", "beside them", "lost")
    return Section(
        title="Slow readers",
        method="10 clients ask for 21 MB each, sent in one burst, and read 1 kB a second. 90 paced"
        " streams run alone, and beside them. Delays in ms, 50 % · 99 % · longest.",
        tables=(Table(header=header, rows=tuple(rows)),),
    )


def slow_row(name: str, memory: float, seen: tuple[Seen, Seen], lost: int) -> tuple[str, ...]:
    delays = [
        f"{one.delay.p50:.2f} · {one.delay.p99:.2f} · {one.delay.longest:.1f}" for one in seen
    ]
    return (name, f"{memory / 10:.0f}", *delays, str(lost))
