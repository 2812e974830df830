"""What docs/operations.md shows for other ASGI servers works with uvicorn."""

from __future__ import annotations

import asyncio
import re
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


async def test_the_application_runs_under_uvicorn(files: Callable[[str], Path]) -> None:
    directory = files("operations.md")
    (directory / "config.yaml").write_text(
        "model_list: [{model_name: m, params: {model: local/m}}]"
    )
    command = (sys.executable, "-m", "uvicorn", "asgi:app", "--port", "0", "--no-use-colors")
    environment = {"GATEWAY_HOME": str(directory)}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        url = await address(process)
        ready = await asyncio.to_thread(urllib.request.urlopen, f"{url}/health/ready")
        with ready:
            assert ready.status == 200
    finally:
        with suppress(ProcessLookupError):  # it could not start, and has ended by itself
            process.terminate()
        await process.communicate()


async def address(process: asyncio.subprocess.Process) -> str:
    """Return where the server listens, once it says so."""
    assert process.stderr is not None
    said: list[str] = []
    async for line in process.stderr:
        said.append(line.decode())
        if found := re.search(r"running on (http://[\d.:]+)", said[-1]):
            return found[1]
    raise AssertionError("".join(said))
