"""Contenders under the same load, in turns, so that what else the machine does hits all of them."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from harness.answers import frames_of
from harness.clients import Clients, Load, Seen
from harness.machine import cpu_seconds
from harness.systems import System


class Contender(Struct, frozen=True, kw_only=True):
    """A system under a load. `name` is what the report calls it."""

    name: str
    system: System
    load: Load


class Round(NamedTuple):
    """What one round has cost, in microseconds of CPU per request, and what clients have seen."""

    cpu: float
    seen: Seen


class Figures(Struct, frozen=True, kw_only=True):
    """All rounds of one contender."""

    load: Load
    rounds: tuple[Round, ...]

    @property
    def cpu(self) -> float:
        """The cheapest round: other work on the machine only ever adds to it."""
        return min(one.cpu for one in self.rounds)

    @property
    def cpu_per_event(self) -> float:
        return self.cpu / frames_of(self.load.answer)

    @property
    def rate(self) -> float:
        """Requests per second: the median of all rounds."""
        return statistics.median(one.seen.answered / one.seen.seconds for one in self.rounds)

    @property
    def answered(self) -> int:
        return sum(one.seen.answered for one in self.rounds)

    @property
    def lost(self) -> int:
        return sum(one.seen.lost for one in self.rounds)

    def typical(self, times: str, percentile: str) -> float:
        """Return the median over the rounds of, say, the `p99` of `first_event`, in ms."""
        seen = (getattr(one.seen, times) for one in self.rounds)
        return statistics.median(getattr(one, percentile) for one in seen)


class Ratio(NamedTuple):
    """How much dearer: by the cheapest rounds, and by the middle half of all pairs of rounds."""

    cheapest: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.cheapest:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratio(figures: Figures, reference: Figures) -> Ratio:
    pairs = zip(figures.rounds, reference.rounds, strict=True)
    ratios = [one.cpu / other.cpu for one, other in pairs]
    low, high = ratios[0], ratios[0]
    if len(ratios) > 1:
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(figures.cpu / reference.cpu, low, high)


def measure(clients: Clients, contender: Contender) -> Round:
    before = cpu_seconds(contender.system.pid)
    seen = clients.run(contender.system.target(contender.load.answer), contender.load)
    spent = cpu_seconds(contender.system.pid) - before
    if not seen.answered:
        raise SystemExit(
            f"{contender.name} has answered nothing to {contender.load.answer}: {seen}"
        )
    return Round(spent / seen.answered * 1e6, seen)


def compare(
    clients: Clients, contenders: Sequence[Contender], rounds: int, *, warm_up: bool = True
) -> dict[str, Figures]:
    """Measure all of `contenders`, `rounds` times in turns, after one more round to `warm_up`."""
    taken: dict[str, list[Round]] = {contender.name: [] for contender in contenders}
    for number in range(not warm_up, rounds + 1):
        for contender in contenders:
            one = measure(clients, contender)
            if number:
                taken[contender.name].append(one)
    return {
        contender.name: Figures(load=contender.load, rounds=tuple(taken[contender.name]))
        for contender in contenders
    }
