"""What the upstream and the clients can do without anybody between them."""

import json
from urllib.request import urlopen

from harness.clients import Load
from harness.comparing import Contender, measure
from harness.report import Section, Table
from harness.systems import Stage
from harness.workloads import PACE, Effort, paced_load


def ceiling(stage: Stage, effort: Effort, engine: str) -> Section:
    """Measure the upstream alone: what it costs, and how late it is with paced events."""
    loads = {
        "create of 1 kB": Load(answer="create", seconds=effort.seconds),
        "create of 2 MB": Load(answer="create", size=2_000_000, seconds=effort.seconds),
        "108 events in a burst": Load(answer="stream-108", seconds=effort.seconds),
        "1,000 events in a burst": Load(answer="stream-1000", seconds=effort.seconds),
        f"1,000 streams, {PACE} events/s": paced_load(effort, 1000),
    }
    rows: list[tuple[str, ...]] = []
    with stage.upstream() as upstream:
        for name, load in loads.items():
            one = measure(stage.clients, Contender(name=name, system=upstream, load=load))
            with urlopen(f"http://127.0.0.1:{upstream.port}/report") as answer:
                late = json.load(answer)["lateness"]
            lateness = f"{late['p50']:.2f} · {late['p99']:.2f}" if load.rate else ""
            rate, events = one.seen.answered / one.seen.seconds, one.seen.events / one.seen.seconds
            event_rate = f"{events:,.0f}" if load.streamed else ""
            cells = (name, f"{rate:,.0f}", event_rate, f"{one.cpu:.0f}", lateness)
            rows.append((*cells, str(one.seen.lost)))
    header = ("", "requests/s", "events/s", "upstream, CPU µs/request")
    return Section(
        title="The upstream alone",
        method="What upstream and clients do on their core with nobody between them: whoever stands"
        " there and does less is what is slow. Paced events leave up to a millisecond late.",
        tables=(Table(header=(*header, "late, ms 50 % · 99 %", "lost"), rows=tuple(rows)),),
    )
