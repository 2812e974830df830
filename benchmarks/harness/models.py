"""One gateway against itself: streams translated and relayed, responses kept and not, and tools."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from msgspec.structs import replace

from harness.clients import Load
from harness.comparing import Contender, Figures, compare, ratio
from harness.processes import free_port, running
from harness.report import Section, Table
from harness.systems import BENCHMARKS, Stage, System
from harness.workloads import PACE, Effort, paced_load

FAMILIES = {"relayed": "", "chat": "chat-", "Anthropic": "messages-"}


def named(gateway: System, name: str, load: Load) -> Contender:
    return Contender(name=name, system=gateway, load=load)


def translated(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure the same stream relayed, and translated from two other APIs."""
    rows: list[tuple[str, ...]] = []
    with ExitStack() as stack:
        upstream = stack.enter_context(stage.upstream())
        gateway = stack.enter_context(stage.gateway(upstream, engine))
        for size in (108, 1000):
            loads = {
                name: Load(answer=f"{prefix or 'stream-'}{size}", seconds=effort.seconds)
                for name, prefix in FAMILIES.items()
            }
            asked = [named(gateway, name, load) for name, load in loads.items()]
            found = compare(stage.clients, asked, effort.rounds)
            rows += [family_row(f"{size:,} in a burst", found, name) for name in FAMILIES]
        asked = [
            named(gateway, name, paced_load(effort, 200, f"timed-{prefix}".rstrip("-")))
            for name, prefix in FAMILIES.items()
        ]
        found = compare(stage.clients, asked, max(1, effort.rounds // 2))
        rows += [family_row(f"200 streams, {PACE} events/s", found, name) for name in FAMILIES]
    header = ("", "upstream", "CPU µs/event", "ratio to relayed", "lost")
    return Section(
        title="Translated streams",
        method="One gateway relays a native stream, and translates one from Chat Completions and"
        " from Anthropic's Messages. An event is a frame of the upstream's.",
        tables=(Table(header=header, rows=tuple(rows)),),
    )


def family_row(case: str, found: dict[str, Figures], name: str) -> tuple[str, ...]:
    figures, relayed = found[name], found["relayed"]
    dearer = "" if name == "relayed" else str(ratio(figures, relayed))
    return (case, name, f"{figures.cpu_per_event:.1f}", dearer, str(figures.lost))


def cost_row(found: dict[str, Figures], name: str, first: str) -> tuple[str, ...]:
    figures = found[name]
    latency = (figures.typical("whole", part) for part in ("p50", "p99"))
    return (
        name,
        f"{figures.cpu:.0f}",
        f"{figures.cpu - found[first].cpu:+.0f}",
        f"{figures.rate:.0f}",
        " · ".join(f"{one:.2f}" for one in latency),
        str(figures.lost),
    )


def cost_table(found: dict[str, Figures], names: Sequence[str]) -> Table:
    header = ("", "CPU µs", "more", "requests/s", "ms, 50 % · 99 %", "lost")
    return Table(header=header, rows=tuple(cost_row(found, name, names[0]) for name in names))


def stored(stage: Stage, effort: Effort, engine: str) -> Section:
    load = Load(answer="chat-12", seconds=effort.seconds)
    with ExitStack() as stack:
        upstream = stack.enter_context(stage.upstream())
        gateway = stack.enter_context(stage.gateway(upstream, engine))
        asked = [
            named(gateway, '`"store": false`', load),
            named(gateway, "kept in SQLite", replace(load, stored=True)),
        ]
        found = compare(stage.clients, asked, effort.rounds)
    return Section(
        title="Stored responses",
        method="Short streams of a chat model, as fast as the gateway can. `storing.py` measures"
        " the same at a fixed rate, and how late the event loop is.",
        tables=(cost_table(found, [one.name for one in asked]),),
    )


def tool_turns(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure a turn with one call of an MCP server, and one without."""
    port, dead = free_port(), free_port()
    peers = (sys.executable, str(BENCHMARKS / "tool_peers.py"), str(port), str(dead))
    here = partial(running, cores=stage.cores.upstream, log=stage.folder / "tool_peers.log")
    model = {
        "model_name": "tools-50",
        "params": {
            "model": "openai_compatible/m",
            "api_key": "sk-none",
            "base_url": f"http://127.0.0.1:{port}/v1",
        },
    }
    server = {
        "type": "mcp",
        "server_label": "words",
        "server_url": f"http://127.0.0.1:{port}/mcp",
        "require_approval": "never",
    }
    load = Load(answer="tools-50", seconds=effort.seconds)
    with ExitStack() as stack:
        stack.enter_context(here(peers, port=port))
        upstream = System(name="direct", pid=0, port=port)
        tools = {"private_addresses": True}
        gateway = stack.enter_context(
            stage.gateway(upstream, engine, model_list=[model], tools=tools)
        )
        asked = [
            named(gateway, "no tools", load),
            named(gateway, "one MCP call", replace(load, tools=(server,))),
        ]
        found = compare(stage.clients, asked, effort.rounds)
    return Section(
        title="A turn with an MCP call",
        method="A chat model streams 50 words. With the MCP server among its tools it calls one"
        " first, so that the gateway lists the tools, calls it and asks the model again.",
        tables=(cost_table(found, [one.name for one in asked]),),
    )
