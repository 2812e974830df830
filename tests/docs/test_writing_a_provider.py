"""The packages that docs/writing-a-provider.md shows answer requests, and pass the kit."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from gateway.config import Config, ModelEntry, Secret, default_config, load
from gateway.core.engine import Engine
from gateway.core.exchange import Envelope, Streamed, Whole
from gateway.core.principal import Principal
from gateway.errors import InvalidRequestError
from gateway.plugin.manager import Plugins
from gateway.stream.lifecycle import violations
from gateway.stream.sse import SSEDecoder
from gateway.testing import CountedIds, Received, ScriptedUpstream, event_stream
from gateway.types.response import decode_response

BETA_ANSWER = (
    b'data: {"choices": [{"index": 0, "delta": {"content": "Hello"}}]}\n\n'
    b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.fixture
def package(files: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory with everything that the document shows, importable."""
    directory = files("writing-a-provider.md")
    monkeypatch.syspath_prepend(directory)
    yield directory
    for name in [
        name for name in sys.modules if name.partition(".")[0] in {"gateway_acme", "gateway_beta"}
    ]:
        del sys.modules[name]


@pytest.fixture
def question(package: Path) -> dict[str, Any]:
    return msgspec.json.decode((package / "tests/corpus/weather/request.json").read_bytes())


@pytest.fixture
def answer(package: Path) -> bytes:
    return (package / "tests/corpus/weather/upstream.sse").read_bytes()


def engine(plugin: str, model: str, upstream: ScriptedUpstream, directory: Path) -> Engine:
    entry = ModelEntry(name=model, model=model, base_url=upstream.url, api_key=Secret("the-key"))
    config = default_config({"GATEWAY_HOME": str(directory)})
    plugins = Plugins(extra=[importlib.import_module(plugin)])
    return Engine(replace(config, models=(entry,)), plugins, ids=CountedIds())


async def ask(engine: Engine, question: dict[str, Any]) -> Whole | Streamed:
    envelope = Envelope(operation="create", request_id="test", body=msgspec.json.encode(question))
    return await engine.respond(envelope, Principal())


async def events_of(reply: Whole | Streamed) -> list[dict[str, Any]]:
    assert isinstance(reply, Streamed)
    async with aclosing(reply.blocks) as blocks:
        stream = b"".join([block async for block in blocks])
    frames = SSEDecoder().feed(stream)
    return [msgspec.json.decode(frame.data) for frame in frames if frame.data != b"[DONE]"]


async def test_the_row_is_a_provider(package: Path) -> None:
    async with ScriptedUpstream(event_stream(BETA_ANSWER)) as upstream:
        async with engine("gateway_beta", "beta/large", upstream, package) as gateway:
            question = {"model": "beta/large", "input": "Hi", "max_output_tokens": 5}
            reply = await ask(gateway, question)
        assert isinstance(reply, Whole)
        assert decode_response(reply.body).output_text == "Hello"
        assert upstream.requests[0].headers["authorization"] == "Bearer the-key"
        assert upstream.requests[0].json()["max_completion_tokens"] == 5


async def test_the_dialect_answers_whole_and_streamed(
    package: Path, question: dict[str, Any], answer: bytes
) -> None:
    async with ScriptedUpstream(event_stream(answer), event_stream(answer)) as upstream:
        async with engine("gateway_acme", "acme/large", upstream, package) as gateway:
            question["temperature"] = 0
            whole = await ask(gateway, question)
            events = await events_of(await ask(gateway, {**question, "stream": True}))
        check_requests(upstream.requests)
    assert isinstance(whole, Whole)
    assert violations(events) == []
    response = decode_response(whole.body)
    assert response.output_text == "Let me see."
    assert response.usage is not None
    assert response.usage.total_tokens == 40
    output = response.to_dict()["output"]
    assert [item["type"] for item in output] == ["message", "function_call"]
    assert output[1]["arguments"] == '{"city":"Oslo"}'
    assert _without_ids(events[-1]["response"]["output"]) == _without_ids(output)


def check_requests(requests: list[Received]) -> None:
    assert [request.path for request in requests] == ["/v2/generate"] * 2
    assert {request.headers["acme-key"] for request in requests} == {"the-key"}
    assert requests[0].json() == {
        "model": "large",
        "live": True,
        "system": "Be brief.",
        "turns": [{"from": "user", "text": "What is the weather in Oslo?"}],
        "tools": [{"name": "weather", "about": "", "schema": {"type": "object"}}],
        "heat": 0,
    }


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"top_p": 0.5}, "top_p"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "input[0]"),
    ],
)
async def test_the_dialect_refuses_what_acme_cannot_do(
    package: Path, question: dict[str, Any], more: dict[str, Any], param: str
) -> None:
    async with ScriptedUpstream() as upstream:
        async with engine("gateway_acme", "acme/large", upstream, package) as gateway:
            with pytest.raises(InvalidRequestError) as raised:
                await ask(gateway, {**question, **more})
        assert upstream.requests == []
    assert raised.value.param == param


async def test_the_dialect_drops_hints_and_says_so(
    package: Path, question: dict[str, Any], answer: bytes
) -> None:
    hints = {"user": "someone", "truncation": "auto", "tool_choice": "auto"}
    async with (
        ScriptedUpstream(event_stream(answer)) as upstream,
        engine("gateway_acme", "acme/large", upstream, package) as gateway,
    ):
        reply = await ask(gateway, {**question, **hints})
    assert reply.headers["x-gateway-dropped-params"] == "truncation, user"


def test_the_kit_passes_once_the_expected_events_are_written(package: Path) -> None:
    expected = package / "tests/corpus/weather/events.jsonl"
    first = run_kit(package)
    assert first.returncode == 1
    assert "events.jsonl is missing" in first.stdout
    assert not expected.exists()
    run_kit(package, "--update-corpus")
    assert b"response.completed" in expected.read_bytes()
    final = run_kit(package)
    assert final.returncode == 0, final.stdout


def run_kit(package: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "tests"]
    environment = {"PYTHONPATH": str(package)}
    return subprocess.run(
        command, cwd=package, env=environment, capture_output=True, text=True, check=False
    )


def test_the_package_declares_its_entry_point(package: Path) -> None:
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    (module,) = project["entry-points"]["gateway"].values()
    found: ModuleType = importlib.import_module(module)
    (provider,) = found.gateway_providers()
    config: Config = load(package / "acme.yaml", {})
    assert config.models[0].model == f"{provider.name}/{provider.models[0]}"


def test_the_dialect_takes_less_than_150_lines(package: Path) -> None:
    code = "".join(path.read_text() for path in package.glob("gateway_acme/*.py"))
    assert len([line for line in code.splitlines() if line.strip()]) < 150


def _without_ids(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**item, "id": ""} for item in items]
