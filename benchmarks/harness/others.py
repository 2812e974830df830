"""Next to others: other servers in front of us, other gateways, and other ways into a program."""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version

from msgspec.structs import replace

from harness.clients import Load
from harness.comparing import Figures, compare, ratio
from harness.lasting import MemoryWatch
from harness.machine import on_cores, resident_kilobytes
from harness.peers import PEERS, installed
from harness.report import Section, Table
from harness.systems import BENCHMARKS, WHATEVER, Stage, System
from harness.workloads import Effort, contenders, paced_load

CLIENTS = ("gateway", "openai", "aiohttp")
ENGINES = ("hypercorn", "granian", "uvicorn")


def three_loads(effort: Effort) -> dict[str, Load]:
    """Return what all gateways are asked: a create, a burst, and paced streams."""
    return {
        "create of 1 kB": Load(answer="create", seconds=effort.seconds),
        "108 events in a burst": Load(answer="stream-108", seconds=effort.seconds),
        "200 paced streams": paced_load(effort, 200),
    }


def cost_rows(case: str, found: dict[str, Figures], load: Load) -> list[tuple[str, ...]]:
    times = "delay" if load.rate else "whole"
    rows: list[tuple[str, ...]] = []
    for name, figures in found.items():
        if figures.lost > figures.answered // 10:  # what failing costs is of no interest
            rows.append((case, name, "fails", *[""] * 5, str(figures.lost)))
            continue
        row = (
            case,
            name,
            f"{figures.cpu:.0f}",
            f"{figures.cpu_per_event:.1f}" if load.streamed else "",
            str(ratio(figures, found["bare"])),
            f"{figures.cpu / found['gateway'].cpu:.2f}",
            f"{figures.rate:.0f}",
            f"{figures.typical(times, 'p50'):.2f} · {figures.typical(times, 'p99'):.2f}",
            str(figures.lost),
        )
        rows.append(row)
    return rows


def cost_table(rows: Sequence[tuple[str, ...]]) -> Table:
    ratios = ("over bare", "over ours")
    header = ("", "", "CPU µs/request", "CPU µs/event", *ratios, "/s", "ms, 50 % · 99 %", "lost")
    return Table(header=header, rows=tuple(rows))


def engines(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure the servers that are installed, each against bare on the same one."""
    rows: list[tuple[str, ...]] = []
    for name in ENGINES:
        try:
            title = f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
        with ExitStack() as stack:
            upstream = stack.enter_context(stage.upstream())
            bare = stack.enter_context(stage.bare(upstream, name))
            gateway = stack.enter_context(stage.gateway(upstream, name))
            for case, load in three_loads(effort).items():
                rounds = max(1, effort.rounds // 2)
                found = compare(stage.clients, contenders((bare, gateway), load), rounds)
                rows += cost_rows(f"{title}: {case}", found, load)
    return Section(
        title="Servers",
        method="The gateway and bare on the same server, one server after the other.",
        tables=(cost_table(rows),),
    )


def peers(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure other gateways that are installed, in turns with ours."""
    versions = installed()
    rows: list[tuple[str, ...]] = []
    for case, asked in three_loads(effort).items():
        load = replace(asked, model=WHATEVER)
        with ExitStack() as stack:
            upstream = stack.enter_context(stage.upstream(load.answer))
            systems: list[System] = [
                stack.enter_context(stage.bare(upstream, engine)),
                stack.enter_context(stage.gateway(upstream, engine)),
                *(
                    stack.enter_context(peer.run(stage, upstream))
                    for peer in PEERS
                    if peer.name in versions
                ),
            ]
            rounds = max(1, effort.rounds // 2)
            found = compare(stage.clients, contenders(systems, load), rounds)
            rows += cost_rows(case, found, load)
    return Section(
        title="Other gateways",
        method="In turns, each on the same core, with its own log off as far as it can be. Times"
        " are those of whole answers, and of events where streams are paced. Installed are"
        f" {', '.join(f'{name} {number}' for name, number in versions.items()) or 'none'}.",
        tables=(cost_table(rows),),
    )


def in_process(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure what a program pays that calls a model without a gateway between."""
    found: dict[str, list[dict[str, float]]] = {client: [] for client in CLIENTS}
    with stage.upstream() as upstream:
        for _ in range((effort.rounds + 1) // 2):
            for client, taken in found.items():
                script = str(BENCHMARKS / "in_process.py")
                address = f"http://127.0.0.1:{upstream.port}"
                command = [sys.executable, script, client, address, str(effort.seconds)]
                with on_cores(stage.cores.tested):
                    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
                taken.append(json.loads(done.stdout))
    columns = ("create", "stream", "megabytes")
    rows = [
        (client, *(f"{min(one[column] for one in taken):.0f}" for column in columns))
        for client, taken in found.items()
    ]
    header = ("", "create, CPU µs", "108 events, CPU µs", "MB")
    return Section(
        title="Inside a program",
        method="16 tasks of one process, with our SDK and its engine, with OpenAI's SDK, and with"
        " aiohttp and `json` alone. The cheapest of the rounds.",
        tables=(Table(header=header, rows=tuple(rows)),),
    )


def workers(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure 1,000 paced streams over two processes that may use all cores."""
    load = paced_load(effort, 1000)
    with ExitStack() as stack:
        upstream = stack.enter_context(stage.upstream())
        gateway = stack.enter_context(stage.gateway(upstream, engine, server={"workers": 2}))
        stage.clients.run(gateway.target("create"), Load(answer="create", requests=500))
        before = resident_kilobytes(gateway.pid)
        with MemoryWatch(gateway) as watch:
            found = compare(stage.clients, contenders((gateway,), load), max(1, effort.rounds // 2))
        direct = compare(stage.clients, contenders((upstream,), load), 1, warm_up=False)["direct"]
    figures = found["gateway"]
    most = max(megabytes for _, megabytes in watch.points) * 1024 - before
    row = (
        f"{figures.cpu_per_event:.1f}",
        f"{most / load.connections:.0f}",
        f"{figures.typical('gap', 'p99') - direct.typical('gap', 'p99'):+.1f}",
        f"{figures.typical('delay', 'p99') - direct.typical('delay', 'p99'):+.1f}",
        str(figures.lost),
    )
    header = (
        "CPU µs/event",
        "kB/stream",
        "99 % of gaps, more ms",
        "99 % of delays, more ms",
        "lost",
    )
    return Section(
        title="1,000 paced streams over two workers",
        method="Workers, upstream and clients share all cores. 50,000 events a second are more than"
        " two cores can pass one by one, so events of a stream meet in one write.",
        tables=(Table(header=header, rows=(row,)),),
    )
