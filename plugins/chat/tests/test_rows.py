"""The table of vendors and servers."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from gateway.core.lowering import lower
from gateway.core.pruning import find, prune
from gateway.plugin import ApiKey, Call, Deployment, Provider
from gateway.plugin.manager import Plugins
from gateway.types.request import decode_request
from gateway_chat import VENDORS, ChatDialect
from gateway_chat.quirks import quirks_of

IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
FILE = {"type": "input_file", "file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}
FORCED = {"tools": [{"type": "function", "name": "f"}], "tool_choice": "required"}

every_row = pytest.mark.parametrize("row", VENDORS, ids=lambda row: row.name)


@every_row
def test_a_row_has_quirks_that_exist(row: Provider) -> None:
    quirks_of(Deployment(alias="a", provider=row.name, model="m", account="x", quirks=row.quirks))


@every_row
def test_a_row_says_where_and_with_which_key(row: Provider) -> None:
    assert isinstance(row.dialect, ChatDialect)
    assert isinstance(row.base_url, str)
    assert row.base_url.startswith(("https://", "http://127.0.0.1:")) or (
        row.name == "openai_compatible" and row.base_url == ""
    )
    assert isinstance(row.credentials, ApiKey)
    assert row.credentials.env
    assert row.credentials.required == row.base_url.startswith("https://")


def test_the_rows_go_together_with_those_of_every_installed_plugin() -> None:
    providers = Plugins().providers()
    assert {row.name for row in VENDORS} <= providers.keys()


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("groq", ("GROQ_BASE_URL", "GROQ_API_BASE")),
        ("openai_chat", ("OPENAI_BASE_URL", "OPENAI_API_BASE")),
        ("huggingface", ("HUGGINGFACE_BASE_URL", "HUGGINGFACE_API_BASE")),
        ("ollama", ("OLLAMA_BASE_URL", "OLLAMA_API_BASE", "OLLAMA_HOST")),
        ("vllm", ("VLLM_BASE_URL", "VLLM_API_BASE", "HOSTED_VLLM_API_BASE")),
    ],
)
def test_the_base_url_may_come_from_the_environment(name: str, variables: tuple[str, ...]) -> None:
    assert next(row for row in VENDORS if row.name == name).base_url_env == variables


EVERYTHING = {
    "model": "m",
    "instructions": "Be brief.",
    "input": [
        {"role": "developer", "content": "You are a clerk."},
        {"role": "user", "content": [{"type": "input_text", "text": "Look."}, IMAGE, FILE, AUDIO]},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "call_id": "call_" + "1" * 50, "name": "f", "arguments": ""},
        {"type": "function_call", "call_id": "call_2", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_2", "output": "two"},
        {"type": "function_call_output", "call_id": "call_" + "1" * 50, "output": [IMAGE]},
        {"type": "custom_tool_call", "call_id": "call_3", "name": "c", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "call_3", "output": "y"},
        {"role": "user", "content": "And now?"},
        {"role": "system", "content": "Hurry."},
        {"role": "user", "content": "Well?"},
    ],
    "tools": [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True},
        {"type": "custom", "name": "c"},
        {"type": "web_search", "search_context_size": "low"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
    ],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "high", "summary": "auto"},
    "text": {
        "verbosity": "low",
        "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}},
    },
    "include": ["message.output_text.logprobs"],
    "top_logprobs": 2,
    "user": "u",
    "service_tier": "flex",
    "max_output_tokens": 99,
}


def body_of(row: Provider, request: dict[str, Any]) -> dict[str, Any]:
    """Return what the core sends for `request` where the operator lets it drop what it must."""
    deployment = Deployment(
        alias="a", provider=row.name, model="m", account="x", base_url="http://h", quirks=row.quirks
    )
    decoded = decode_request(msgspec.json.encode(request))
    dialect = ChatDialect()
    verdicts = list(dialect.check(decoded, deployment))
    dropped = {verdict.param for verdict in verdicts if verdict.action != "emulate"}
    types = {str(find(decoded, v.param)) for v in verdicts if v.param not in dropped}
    lowered = lower(prune(decoded, dropped), types).request
    call = Call(request=lowered, model="m", deployment=deployment)
    return msgspec.json.decode(dialect.encode(call).body)


@every_row
def test_a_row_can_be_sent_whatever_it_does_not_reject(row: Provider) -> None:
    body = body_of(row, EVERYTHING)
    quirks = quirks_of(
        Deployment(alias="a", provider=row.name, model="m", account="x", quirks=row.quirks)
    )
    roles = [message["role"] for message in body["messages"]]
    assert roles[0] == "system"
    assert roles[-1] == "user"
    asked = [call["id"] for m in body["messages"] for call in m.get("tool_calls", [])]
    answered = [m["tool_call_id"] for m in body["messages"] if m["role"] == "tool"]
    assert asked == answered
    assert len(set(asked)) == (0 if quirks.tools == "none" else 3)
    if quirks.single_system:
        assert roles.count("system") == 1
    if quirks.alternating:
        assert ("user", "user") not in pairwise(roles)
    if not quirks.user_after_tool:
        assert ("tool", "user") not in pairwise(roles)
        assert ("tool", "system") not in pairwise(roles)
    assert ("tools" in body) == (quirks.tools != "none")
    assert body[quirks.max_tokens_field] == 99


@pytest.mark.parametrize(
    ("name", "request_", "members"),
    [
        ("deepseek", FORCED, {"thinking": {"type": "disabled"}, "tool_choice": "required"}),
        (
            "deepseek",
            {"reasoning": {"effort": "medium"}},
            {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
        ),
        ("zai", {"reasoning": {"effort": "none"}}, {"thinking": {"type": "disabled"}}),
        ("dashscope", {"reasoning": {"effort": "low"}}, {"enable_thinking": True}),
        ("openrouter", {"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "low"}}),
        (
            "groq",
            {"reasoning": {"effort": "minimal"}},
            {"reasoning_effort": "low", "reasoning_format": "parsed"},
        ),
        ("mistral", {"reasoning": {"effort": "low"}}, {"reasoning_effort": "high"}),
        ("mistral", FORCED, {"tool_choice": "any"}),
        ("vllm", {"max_output_tokens": 9}, {"max_completion_tokens": 9}),
        ("ollama", {"max_output_tokens": 9}, {"max_tokens": 9}),
        ("perplexity", {"tools": [{"type": "web_search"}]}, {"web_search_options": {}}),
        ("minimax", {}, {"reasoning_split": True}),
    ],
)
def test_a_row_speaks_as_its_vendor_does(
    name: str, request_: dict[str, Any], members: dict[str, Any]
) -> None:
    row = next(row for row in VENDORS if row.name == name)
    body = body_of(row, {"model": "m", "input": "x", **request_})
    assert {member: body[member] for member in members} == members
