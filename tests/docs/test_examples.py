"""The examples in the documents parse, use names that exist, and those of the SDK run."""

from __future__ import annotations

import ast
import asyncio
import importlib
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import gateway
from gateway.config import load
from gateway.testing import Received, Script, ScriptedUpstream, event_stream, json_answer

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")

# Invented: what an upstream answers to every request of the examples.
RESPONSE: dict[str, Any] = {
    "id": "resp_upstream",
    "object": "response",
    "created_at": 1790000000,
    "status": "completed",
    "model": "o1-pro",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Once upon a time.", "annotations": []}],
        }
    ],
}
APPROVAL = {
    "type": "mcp_approval_request",
    "id": "mcpr_1",
    "server_label": "deepwiki",
    "name": "ask_question",
    "arguments": "{}",
}


def examples(document: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(document.read_text()) if kind == language]


def cases(language: str) -> Any:
    return pytest.mark.parametrize(
        "example",
        [
            pytest.param(text, id=f"{document.name}-{number}")
            for document in DOCUMENTS
            for number, text in enumerate(examples(document, language))
        ],
    )


def create(received: Received) -> Script:
    asked = received.json()
    if asked.get("stream"):
        frames = [
            {"type": "response.created", "sequence_number": 0, "response": RESPONSE},
            {"type": "response.completed", "sequence_number": 1, "response": RESPONSE},
        ]
        return event_stream(
            *(
                f"event: {frame['type']}\ndata: ".encode() + msgspec.json.encode(frame) + b"\n\n"
                for frame in frames
            )
        )
    if asked.get("previous_response_id"):
        assert asked["previous_response_id"] == RESPONSE["id"]
        assert asked["input"][0]["approval_request_id"] == APPROVAL["id"]
    elif any(tool["type"] == "mcp" for tool in asked.get("tools", ())):
        return json_answer({**RESPONSE, "output": [APPROVAL]})
    return json_answer(RESPONSE)


def complete(received: Received) -> Script:
    """Answer as a server that speaks Chat Completions."""
    choices = [{"index": 0, "delta": {"content": "Once upon a time."}, "finish_reason": "stop"}]
    return event_stream(b"data: %s\n\ndata: [DONE]\n\n" % msgspec.json.encode({"choices": choices}))


def stored(received: Received) -> Script:
    if received.method == "DELETE":
        return json_answer({"id": RESPONSE["id"], "object": "response", "deleted": True})
    return json_answer(RESPONSE)


@cases("python")
def test_an_example_uses_names_that_exist(example: str) -> None:
    for node in ast.walk(ast.parse(example)):
        match node:
            case ast.ImportFrom(module=str(module)) if not module.startswith("gateway_"):
                found = importlib.import_module(module)
                assert [name.name for name in node.names if not hasattr(found, name.name)] == []
            case ast.Attribute(value=ast.Name(id="gateway"), attr=name):
                assert hasattr(gateway, name)
            case _:
                pass


@pytest.mark.parametrize(
    "example", [text for text in examples(DOCUMENTS[0], "python") if "import gateway\n" in text]
)
async def test_an_example_of_the_sdk_runs(example: str, tmp_path: Path) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.handle("/responses", create)
        upstream.handle("/chat/completions", complete)
        upstream.handle("/responses/resp_upstream", stored)
        environment = {
            "OPENAI_API_KEY": "invented",
            "OPENAI_BASE_URL": upstream.url,
            "GATEWAY_HOME": str(tmp_path),
            "PYTHONWARNINGS": "error",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", example, env=environment, stdout=-1, stderr=-1
        )
        output, complaints = await process.communicate()
        assert complaints.decode() == ""
        assert process.returncode == 0
        assert output
        assert upstream.requests


@cases("yaml")
def test_an_example_of_the_configuration_is_valid(example: str, tmp_path: Path) -> None:
    if "model_list" not in yaml.safe_load(example):
        example += "\nmodel_list: [{model_name: m, params: {model: openai/m}}]\n"
    path = tmp_path / "config.yaml"
    path.write_text(example)
    named = re.findall(r"os\.environ/(\w+)", example)
    secrets = {name: f"the-invented-secret-of-{name}" for name in named}
    assert load(path, secrets).models


@pytest.mark.parametrize(
    "document", [*DOCUMENTS, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name
)
def test_a_link_leads_somewhere(document: Path) -> None:
    targets = LINK.findall(document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_link_to_a_heading_finds_it(document: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#]+)#([^)]+)\)", document.read_text()):
        text = (document.parent / target).read_text()
        headings = {
            re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
            for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        }
        assert heading in headings
