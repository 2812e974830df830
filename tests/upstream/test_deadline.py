"""Many waits, one timer."""

import asyncio
from collections.abc import Callable

from gateway.upstream.deadline import Deadline, Deadlines


class Telling(Deadline):
    def __init__(self, deadlines: Deadlines, tell: Callable[[], None]) -> None:
        super().__init__(deadlines)
        self.missed = tell


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_wait_that_lasts_too_long_is_missed_once() -> None:
    missed: list[float] = []
    deadlines = Deadlines()
    deadline = Telling(deadlines, lambda: missed.append(now()))
    due = now() + 0.05
    deadline.wait_until(due)
    await asyncio.sleep(0.1)
    assert len(missed) == 1
    assert missed[0] >= due - 0.002


async def test_waits_that_are_met_miss_nothing_however_often_they_begin() -> None:
    missed: list[float] = []
    deadline = Telling(Deadlines(), lambda: missed.append(now()))
    end = now() + 0.2
    while now() < end:
        deadline.wait_until(now() + 0.1)
        await asyncio.sleep(0.01)
    deadline.met()
    await asyncio.sleep(0.15)
    assert missed == []


async def test_each_wait_has_its_own_end_whatever_the_order_they_begin_in() -> None:
    missed: list[str] = []
    deadlines = Deadlines()
    start = now()
    waits = {name: Telling(deadlines, lambda name=name: missed.append(name)) for name in "cadb"}
    for name, deadline in waits.items():
        deadline.wait_until(start + 0.03 * (1 + "abcd".index(name)))
    waits["b"].met()
    await asyncio.sleep(0.2)
    assert missed == ["a", "c", "d"]
    waits["b"].wait_until(now() + 0.02)
    await asyncio.sleep(0.05)
    assert missed == ["a", "c", "d", "b"]


async def test_a_second_wait_that_is_shorter_ends_on_time() -> None:
    missed: list[float] = []
    deadline = Telling(Deadlines(), lambda: missed.append(now()))
    deadline.wait_until(now() + 600)
    deadline.met()
    deadline.wait_until(now() + 0.02)
    await asyncio.sleep(0.1)
    assert len(missed) == 1


async def test_nobody_is_watched_whom_nobody_holds() -> None:
    missed: list[float] = []
    deadlines = Deadlines()
    Telling(deadlines, lambda: missed.append(now())).wait_until(now() + 0.01)
    await asyncio.sleep(0.05)
    assert missed == []
    deadlines.close()
