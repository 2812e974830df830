"""Saves responses until it is killed, and says of each that it is saved.

`python endless_writer.py DIRECTORY NAME [COUNT]` writes chains of responses whose ids begin with
NAME, in several tasks at once.
"""

import asyncio
import sys
from pathlib import Path

from gateway.plugin.store import Origin, Record, StoredItem, StoreSettings
from gateway.store import BUILT_IN


def item(name: str) -> StoredItem:
    return StoredItem(id=name, body=f'{{"id":"{name}"}}'.encode())


def record(name: str) -> Record:
    return Record(
        id=name,
        tenant="acme",
        created_at=1.0,
        expires_at=2e9,
        status="completed",
        model="some-model",
        body=b"x" * 1000,
    )


async def write(directory: Path, name: str, count: int) -> None:
    async with BUILT_IN["sqlite"].open(StoreSettings(directory=directory)) as store:

        async def chain(task: int) -> None:
            for turn in range(count):
                mine = f"{name}-{task}-{turn}"
                origin = Origin(response_id=f"{name}-{task}-{turn - 1}" if turn else "")
                inputs, outputs = (item(f"q{mine}"), item("shared")), (item(f"a{mine}"),)
                await store.save(record(mine), origin, inputs, outputs)
                print(mine, flush=True)

        async with asyncio.TaskGroup() as tasks:
            for task in range(4):
                tasks.create_task(chain(task))


if __name__ == "__main__":
    directory, name, *count = sys.argv[1:]
    asyncio.run(write(Path(directory), name, int(count[0]) if count else 1_000_000))
