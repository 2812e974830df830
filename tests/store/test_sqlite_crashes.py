"""A process that is killed takes nothing with it that it had acknowledged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from gateway.plugin import Store
from gateway.testing.store_samples import context

if TYPE_CHECKING:
    from .conftest import Audit, Open

WRITER = Path(__file__).with_name("endless_writer.py")
ROUNDS = 20


def start(directory: Path, name: str, *count: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), str(directory), name, *count]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def acknowledged_until_killed(directory: Path, name: str, acknowledgements: int) -> list[str]:
    """Return which responses a writer says that it has saved before it is killed."""
    with start(directory, name) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(acknowledgements)]
        process.kill()
        said += process.stdout.readlines()
    return [line.strip() for line in said if line.endswith("\n")]


def left_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def told(response_id: str) -> str:
    """Return what the context of a response of the endless writer must be."""
    name, task, last = response_id.split("-")
    turns = [f"{name}-{task}-{turn}" for turn in range(int(last) + 1)]
    before = "".join(f"q{turn} shared a{turn} " for turn in turns[:-1])
    return f"{before}q{turns[-1]} shared | a{turns[-1]}"


async def check_last(store: Store, acknowledged: list[str]) -> None:
    """Check the last response of each chain, whose context holds all others."""
    for response_id in {name.rpartition("-")[0]: name for name in acknowledged}.values():
        assert await context(store, response_id) == told(response_id)


@pytest.mark.timeout(180)
async def test_what_was_acknowledged_outlives_a_kill(
    tmp_path: Path, open_store: Open, audit: Audit
) -> None:
    random = Random(20261122)
    everything: list[str] = []
    for number in range(ROUNDS):
        killed = acknowledged_until_killed(tmp_path, f"round{number}", random.randrange(1, 100))
        assert killed
        everything += killed
        async with open_store() as store:
            await check_last(store, killed)
        audit()
    async with open_store() as store:
        await check_last(store, everything)


async def test_processes_share_a_file_that_none_of_them_finds_there(
    tmp_path: Path, open_store: Open, audit: Audit
) -> None:
    processes = [start(tmp_path, f"process{number}", "25") for number in range(4)]
    said = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    async with open_store() as store:
        for number, acknowledged in enumerate(said):
            assert len(acknowledged) == 100
            await check_last(store, acknowledged)
            assert await context(store, f"process{number}-0-24") == told(f"process{number}-0-24")
    audit()
    assert left_in(tmp_path) == ["responses.sqlite"]
