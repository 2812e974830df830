"""The gateway against the bare pass-through: creates and streams, in bursts and paced."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from msgspec import Struct
from msgspec.structs import replace

from harness.answers import frames_of
from harness.clients import Load
from harness.comparing import Contender, Figures, compare, ratio
from harness.plots import draw_bars, draw_lines
from harness.report import Plot, Section, Table
from harness.systems import Stage, System

PACE = 50  # events per second of a paced stream
RAMP = 0.5  # seconds in which paced streams start, so that they do not all speak at once


class Effort(Struct, frozen=True, kw_only=True):
    """How long everything takes: `rounds` of `seconds`; `share` of what takes longer."""

    rounds: int = 5
    seconds: float = 0.8
    share: float = 1.0

    def paced(self, family: str = "timed") -> str:
        """Return the answer of paced streams, which last some seconds."""
        return f"{family}-{round(150 * self.share)}@{PACE}"


class Case(Struct, frozen=True, kw_only=True):
    """One row of a table. Latency is measured at `rate` requests a second."""

    name: str
    load: Load
    rate: float


class Outcome(Struct, frozen=True, kw_only=True):
    """What the rounds of a case have given: as fast as it goes, and at its rate."""

    case: Case
    busy: Mapping[str, Figures]
    calm: Mapping[str, Figures]


CREATES = (
    Case(name="1 kB", load=Load(answer="create", size=1_000), rate=300),
    Case(name="100 kB", load=Load(answer="create", size=100_000), rate=200),
    Case(name="2 MB", load=Load(answer="create", size=2_000_000), rate=20),
)
BURSTS = (
    Case(name="12 events", load=Load(answer="stream-12"), rate=250),
    Case(name="108 events", load=Load(answer="stream-108"), rate=150),
    Case(name="1,000 events", load=Load(answer="stream-1000"), rate=40),
)
PACED_STREAMS = (50, 200, 1000)


def run_case(stage: Stage, effort: Effort, case: Case, systems: Sequence[System]) -> Outcome:
    """Measure `case` with each of `systems`; the first is the upstream, which is not loaded."""
    busy = replace(case.load, seconds=effort.seconds)
    calm = replace(busy, rate=case.rate, connections=64)
    return Outcome(
        case=case,
        busy=compare(stage.clients, contenders(systems[1:], busy), effort.rounds),
        calm=compare(
            stage.clients, contenders(systems, calm), max(1, effort.rounds // 2), warm_up=False
        ),
    )


def contenders(systems: Sequence[System], load: Load) -> list[Contender]:
    return [Contender(name=system.name, system=system, load=load) for system in systems]


def run_cases(stage: Stage, effort: Effort, engine: str, cases: Sequence[Case]) -> list[Outcome]:
    with ExitStack() as stack:
        upstream = stack.enter_context(stage.upstream())
        bare = stack.enter_context(stage.bare(upstream, engine))
        gateway = stack.enter_context(stage.gateway(upstream, engine))
        return [run_case(stage, effort, case, (upstream, bare, gateway)) for case in cases]


def cpu_table(outcomes: Sequence[Outcome]) -> Table:
    rows: list[tuple[str, ...]] = []
    for outcome in outcomes:
        bare, gateway = outcome.busy["bare"], outcome.busy["gateway"]
        rows.append(
            (
                outcome.case.name,
                f"{bare.cpu:.0f}",
                f"{gateway.cpu:.0f}",
                str(ratio(gateway, bare)),
                f"{gateway.cpu_per_event:.1f}" if gateway.load.streamed else "",
                f"{bare.rate:.0f}",
                f"{gateway.rate:.0f}",
                str(bare.lost + gateway.lost),
            )
        )
    header = ("", "bare, CPU µs", "gateway, CPU µs", "ratio", "CPU µs/event")
    return Table(header=(*header, "bare, /s", "gateway, /s", "lost"), rows=tuple(rows))


def latency_table(outcomes: Sequence[Outcome], times: str) -> Table:
    """Return what the systems add to what the upstream takes by itself."""
    rows: list[tuple[str, ...]] = []
    for outcome in outcomes:
        direct = {part: outcome.calm["direct"].typical(times, part) for part in ("p50", "p99")}
        cells = [f"{direct['p50']:.2f} · {direct['p99']:.2f}"]
        cells += [added(outcome.calm[name], times, direct) for name in ("bare", "gateway")]
        rows.append((outcome.case.name, f"{outcome.case.rate:g}", *cells))
    header = ("ms, 50 % · 99 %", "requests/s", "direct", "bare adds", "gateway adds")
    return Table(header=header, rows=tuple(rows))


def added(figures: Figures, times: str, direct: Mapping[str, float]) -> str:
    more = (figures.typical(times, part) - direct[part] for part in ("p50", "p99"))
    return " · ".join(f"{one:+.2f}" for one in more)


def cpu_plot(file: str, title: str, outcomes: Sequence[Outcome]) -> Plot:
    groups = {
        outcome.case.name: {
            name: figures.cpu / outcome.busy["bare"].cpu for name, figures in outcome.busy.items()
        }
        for outcome in outcomes
    }
    return Plot(file=file, title=title, svg=draw_bars(title, "CPU per request, bare = 1", groups))


def creates(stage: Stage, effort: Effort, engine: str) -> Section:
    outcomes = run_cases(stage, effort, engine, CREATES)
    return Section(
        title="Native creates",
        method="One response at a time for each of 16 connections, with an input of this size.",
        tables=(cpu_table(outcomes), latency_table(outcomes, "whole")),
        plots=(cpu_plot("creates.svg", "Native creates", outcomes),),
    )


def bursts(stage: Stage, effort: Effort, engine: str) -> Section:
    outcomes = run_cases(stage, effort, engine, BURSTS)
    return Section(
        title="Native streams in a burst",
        method="The upstream sends all events at once. Latency is that of the first event.",
        tables=(cpu_table(outcomes), latency_table(outcomes, "first_event")),
        plots=(cpu_plot("bursts.svg", "Native streams in a burst", outcomes),),
    )


def paced_load(effort: Effort, streams: int, family: str = "timed") -> Load:
    return Load(
        answer=effort.paced(family), connections=streams, requests=streams, rate=streams / RAMP
    )


def paced(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure native streams that last, at several numbers at once."""
    found: dict[int, dict[str, Figures]] = {}
    rounds = max(1, effort.rounds // 2)
    with ExitStack() as stack:
        upstream = stack.enter_context(stage.upstream())
        bare = stack.enter_context(stage.bare(upstream, engine))
        gateway = stack.enter_context(stage.gateway(upstream, engine))
        for streams in PACED_STREAMS:
            load = paced_load(effort, streams)
            found[streams] = compare(
                stage.clients,
                contenders((bare, gateway), load),
                rounds,
                warm_up=streams == PACED_STREAMS[0],
            )
            found[streams] |= compare(
                stage.clients, contenders((upstream,), load), 1, warm_up=False
            )
    return Section(
        title="Native streams, paced",
        method=f"Each stream has {PACE} events a second, {frames_of(effort.paced())} in all; CPU"
        " counts with all of a request. The delay is that of an event, from the upstream's write"
        " to the client's read; the gap is the time between two events of a stream.",
        tables=(paced_cpu_table(found), paced_latency_table(found)),
        plots=(delay_plot(found),),
    )


def paced_cpu_table(found: Mapping[int, Mapping[str, Figures]]) -> Table:
    rows = [
        (
            f"{streams:,}",
            f"{figures['bare'].cpu_per_event:.1f}",
            f"{figures['gateway'].cpu_per_event:.1f}",
            str(ratio(figures["gateway"], figures["bare"])),
            *(f"{figures[name].typical('first_event', 'p99'):.0f}" for name in ("bare", "gateway")),
            str(figures["bare"].lost),
            str(figures["gateway"].lost),
        )
        for streams, figures in found.items()
    ]
    header = ("streams", "bare, CPU µs/event", "gateway, CPU µs/event", "ratio")
    seen = ("first event 99 %, ms, bare", "the same, gateway", "lost, bare", "lost, gateway")
    return Table(header=(*header, *seen), rows=tuple(rows))


def paced_latency_table(found: Mapping[int, Mapping[str, Figures]]) -> Table:
    rows: list[tuple[str, ...]] = []
    for streams, figures in found.items():
        direct = figures["direct"]
        cells: list[str] = []
        for times in ("delay", "gap"):
            base = {part: direct.typical(times, part) for part in ("p50", "p99")}
            cells.append(f"{base['p50']:.2f} · {base['p99']:.2f}")
            cells += [added(figures[name], times, base) for name in ("bare", "gateway")]
        rows.append((f"{streams:,}", *cells))
    names = ("direct", "bare adds", "gateway adds")
    header = [f"{times}, {name}" for times in ("delay", "gap") for name in names]
    return Table(header=("ms, 50 % · 99 %", *header), rows=tuple(rows))


def delay_plot(found: Mapping[int, Mapping[str, Figures]]) -> Plot:
    series = {
        name: [
            (streams, figures[name].typical("delay", "p99")) for streams, figures in found.items()
        ]
        for name in ("direct", "bare", "gateway")
    }
    title = f"99 % of events are not later than this, {PACE} a second and stream"
    svg = draw_lines(title, ("streams", "ms"), series, log=True)
    return Plot(file="paced.svg", title=title, svg=svg)
