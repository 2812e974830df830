"""The pages of the providers: their configurations can be served, and their examples run."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.config import load
from gateway.core.engine import Engine
from gateway.plugin.manager import Plugins
from gateway.plugin.provider import Provider, key_of
from gateway.testing import ScriptedUpstream, json_answer

from .conftest import Block, blocks
from .tables import PAGES, PROVIDERS

SAID = "Once upon a time."

# Invented: what the upstreams say, whole. Each example calls the provider that its page is about.
ANSWERS: dict[str, dict[str, Any]] = {
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": SAID}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 4},
    },
    "bedrock": {
        "output": {"message": {"role": "assistant", "content": [{"text": SAID}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
    },
    "chat": {
        "choices": [{"message": {"role": "assistant", "content": SAID}, "finish_reason": "stop"}]
    },
    "gemini": {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": SAID}]}, "finishReason": "STOP"}
        ]
    },
    "openai": {
        "id": "resp_upstream",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": "gpt-5",
        "output": [
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": SAID, "annotations": []}],
            }
        ],
    },
}


def shown(language: str) -> list[Any]:
    return [
        pytest.param(block, id=block.name)
        for page in PAGES
        for block in blocks(page)
        if block.language == language
    ]


@pytest.mark.parametrize("block", shown("yaml"))
async def test_a_configuration_can_be_served(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(block.text)
    named = re.findall(r"os\.environ/(\w+)", block.text)
    environment = {name: f"invented-{name}" for name in named} | {"GATEWAY_HOME": str(tmp_path)}
    async with Engine(load(path, environment), Plugins()) as engine:
        assert engine.models()


@pytest.mark.parametrize("block", shown("python"))
async def test_an_example_runs(block: Block, tmp_path: Path) -> None:
    name = re.findall(r'model="(\w+)/', block.text)[0]
    async with ScriptedUpstream(json_answer(ANSWERS[block.document.stem])) as upstream:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", block.text),
            env={**settings_of(name, upstream.url), "GATEWAY_HOME": str(tmp_path)},
            stdout=-1,
            stderr=-1,
        )
        output, complaints = await process.communicate()
    assert complaints.decode() == ""
    assert output.decode().strip() == SAID


def settings_of(name: str, url: str) -> dict[str, str]:
    """Return the variables for a provider whose upstream is at `url`."""
    provider = PROVIDERS[name]
    key = key_of(provider)
    assert key
    addresses = (*provider.base_url_env, *endpoints(provider))
    return {key.env[0]: "invented", addresses[0]: url, "AWS_REGION": "eu-west-1"}


def endpoints(provider: Provider) -> list[str]:
    return [
        variable
        for word, setting in provider.settings.items()
        if word.endswith("_endpoint")
        for variable in setting.env
    ]
