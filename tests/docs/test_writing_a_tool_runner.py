"""docs/writing-a-tool-runner.md shows a runner that runs, and its suite, which passes."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from gateway.config import ModelEntry, Secret, ToolSettings, default_config
from gateway.core.engine import Engine
from gateway.core.exchange import Envelope, Whole
from gateway.core.principal import Principal
from gateway.plugin.manager import Plugins
from gateway.testing import CountedIds, ScriptedUpstream, event_stream
from gateway.types.response import Response, decode_response

from .conftest import ROOT, blocks

DOCUMENT = ROOT / "docs" / "writing-a-tool-runner.md"


@pytest.fixture
def glossary(files: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(files(DOCUMENT.name))
    yield importlib.import_module("gateway_glossary")
    del sys.modules["gateway_glossary"]


def settings() -> ToolSettings:
    """Return what the document tells the operator to write."""
    (example,) = (block.text for block in blocks(DOCUMENT) if block.language == "yaml")
    written = yaml.safe_load(example)["tools"]["runners"]
    runners = {
        name: {key: Secret(text) for key, text in entries.items()}
        for name, entries in written.items()
    }
    return ToolSettings(runners=runners)


def says(delta: dict[str, Any], reason: str) -> list[bytes]:
    choices = [{"index": 0, "delta": delta}, {"index": 0, "delta": {}, "finish_reason": reason}]
    frames = [msgspec.json.encode({"choices": [choice]}) for choice in choices]
    return [b"data: %s\n\n" % frame for frame in (*frames, b"[DONE]")]


async def ask(glossary: ModuleType, upstream: ScriptedUpstream, home: Path) -> Response:
    entry = ModelEntry(
        name="any", model="groq/any", base_url=upstream.url, api_key=Secret("the-key")
    )
    config = replace(default_config({"GATEWAY_HOME": str(home)}), models=(entry,), tools=settings())
    question = {
        "model": "any",
        "input": "What is it?",
        "tools": [{"type": "glossary"}],
        "tool_choice": {"type": "function", "name": "look_up"},
    }
    envelope = Envelope(operation="create", request_id="test", body=msgspec.json.encode(question))
    async with Engine(config, Plugins(extra=[glossary]), ids=CountedIds()) as engine:
        reply = await engine.respond(envelope, Principal())
    assert isinstance(reply, Whole)
    return decode_response(reply.body)


async def test_the_glossary_is_a_tool_of_a_model_that_has_none(
    glossary: ModuleType, tmp_path: Path
) -> None:
    function = {"name": "look_up", "arguments": '{"term": "unicorn"}'}
    call = {"tool_calls": [{"index": 0, "id": "call_1", "function": function}]}
    async with ScriptedUpstream(
        event_stream(*says(call, "tool_calls")), event_stream(*says({"content": "Luna."}, "stop"))
    ) as upstream:
        response = await ask(glossary, upstream, tmp_path)
    assert response.output_text == "Luna."
    assert [item.type for item in response.output] == ["message"]
    first, second = [received.json() for received in upstream.requests]
    (tool,) = first["tools"]
    assert tool["function"]["name"] == "look_up"
    assert tool["function"]["parameters"]["required"] == ["term"]
    assert first["tool_choice"]["function"]["name"] == "look_up"
    assert second.get("tool_choice", "auto") == "auto"
    assert second["messages"][-1]["content"] == "A horse with a horn. Ours is called Luna."


async def test_its_suite_passes(files: Callable[[str], Path]) -> None:
    home = files(DOCUMENT.name)
    options = ("-q", "-p", "no:cacheprovider", "--strict-markers", "tests")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", *options), cwd=home, stdout=-1, stderr=-2
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert b"skipped" not in output
