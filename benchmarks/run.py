"""What the gateway costs, and how it compares: runs all workloads and writes a report.

    python benchmarks/run.py [--quick] [--only NAME ...] [--engine NAME] [--peers]

The gateway has a core for itself, the upstream and the clients (programs in C, compiled first)
another. Linux only (`/proc`).
"""

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from harness import ceiling, holding, lasting, models, others, workloads
from harness.building import build
from harness.clients import Clients
from harness.machine import Watch, describe, share_out
from harness.others import ENGINES
from harness.report import Section, write_report
from harness.systems import Stage
from harness.workloads import Effort

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache" / "benchmarks"

Workload = Callable[[Stage, Effort, str], Section]

WORKLOADS: dict[str, Workload] = {
    "ceiling": ceiling.ceiling,
    "create": workloads.creates,
    "burst": workloads.bursts,
    "paced": workloads.paced,
    "workers": others.workers,
    "translated": models.translated,
    "stored": models.stored,
    "tools": models.tool_turns,
    "connections": lasting.sweep,
    "idle-streams": holding.idle_streams,
    "idle-connections": holding.idle_connections,
    "slow-readers": holding.slow_readers,
    "memory": lasting.memory,
    "in-process": others.in_process,
    "engines": others.engines,
    "peers": others.peers,
}
FULL, QUICK = Effort(), Effort(rounds=1, seconds=0.2, share=0.2)
PACKAGES = ("responses-gateway", "hypercorn", "aiohttp", "uvloop", "starlette", "msgspec")

METHOD = """\
The system under test has one core for itself; the upstream and the clients, both in C, share
another. Upstream, bare pass-through (`bare.py`: the same server and HTTP client, no logic) and
gateway run side by side and take turns. CPU is that of the whole process tree, from `/proc`, of the
cheapest of {rounds} rounds, or of half as many where rounds are long, for other work only ever adds
to it. Behind a ratio stands the middle half of the ratios of all pairs of rounds: it tells how far
to trust the first. What is lost was refused, or ended early."""


def answers(effort: Effort) -> frozenset[str]:
    """Return the names of all answers that the upstream must know."""
    bursts = {
        f"{family}-{size}" for family in ("stream", "chat", "messages") for size in (108, 1000)
    }
    timed = {effort.paced(family) for family in ("timed", "timed-chat", "timed-messages")}
    return frozenset(bursts | timed) | {
        "create",
        "stream-12",
        "chat-12",
        "stream-108@0",
        "stream-100000",
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="see that it works; no figures to keep"
    )
    parser.add_argument(
        "--only", nargs="+", choices=WORKLOADS, metavar="NAME", help=f"of {', '.join(WORKLOADS)}"
    )
    parser.add_argument("--engine", choices=ENGINES, default="hypercorn", help="server of all")
    parser.add_argument("--peers", action="store_true", help="other gateways, too")
    parser.add_argument(
        "--output", type=Path, help="folder of the report; for parts of it, one that git ignores"
    )
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[str]:
    if options.only:
        return [name for name in WORKLOADS if name in options.only]
    return [name for name in WORKLOADS if name != "peers" or options.peers]


def run(stage: Stage, names: list[str], effort: Effort, engine: str) -> Iterator[Section]:
    """Yield the section of each workload as soon as it is there."""
    for number, name in enumerate(names, 1):
        began = time.perf_counter()
        print(f"[{number}/{len(names)}] {name:<18}", end="", flush=True)
        section = WORKLOADS[name](stage, effort, engine)
        print(f"{time.perf_counter() - began:6.1f} s", flush=True)
        yield section


def commit() -> str:
    if shutil.which("git") is None:
        return "unknown"
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def preface(effort: Effort, engine: str, seconds: float, others_share: float) -> str:
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    parts = [
        "# What the gateway costs",
        f"Written by `benchmarks/run.py` on {datetime.now(UTC):%Y-%m-%d} in {seconds:.0f} s.",
        "\n".join(
            [
                f"- Machine: {describe()}.",
                f"- Server: {engine}. Versions: {versions}. Commit: {commit()}.",
                f"- Noise: other work kept {others_share:.2f} cores busy meanwhile, on average.",
            ]
        ),
        METHOD.format(rounds=effort.rounds),
    ]
    if effort is QUICK:
        parts.append(
            "**This was a quick run, to see that everything works: its figures say little.**"
        )
    return "\n\n".join(parts)


def main() -> None:
    options = parse()
    effort = QUICK if options.quick else FULL
    output = options.output
    if output is None:
        output = CACHE / "results" if options.quick or options.only else HERE / "results"
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    programs = CACHE / "programs"
    build(programs)
    began, watch, cores = time.perf_counter(), Watch(), share_out()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clients = Clients(programs / "client", cores.clients, folder)
        stage = Stage(
            cores=cores, programs=programs, folder=folder, clients=clients, answers=answers(effort)
        )
        sections: list[Section] = []
        for section in run(stage, chosen(options), effort, options.engine):
            sections.append(section)
            seconds = time.perf_counter() - began
            text = preface(effort, options.engine, seconds, watch.others())
            write_report(output, text, sections)  # already now, for a later workload may fail
    print(f"wrote {output / 'report.md'}")


if __name__ == "__main__":
    main()
