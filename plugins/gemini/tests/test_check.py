"""What Gemini cannot honour is refused or named, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[..., dict[str, str]]


def said(*parts: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"input": [{"role": role, "content": [*parts]}]}


@pytest.mark.parametrize(
    ("request_", "verdicts"),
    [
        (
            said({"type": "input_image", "file_id": "file_1"}),
            {"input[0].content[0].type": "reject"},
        ),
        (said({"type": "input_file", "file_id": "file_1"}), {"input[0].content[0].type": "reject"}),
        (
            said({"type": "input_image", "image_url": "data:image/png,raw"}),
            {"input[0].content[0].type": "reject"},
        ),
        (
            said({"type": "input_file", "file_data": "data:application/pdf;base64,AAAAA"}),
            {"input[0].content[0].type": "reject"},
        ),
        (
            said({"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}}),
            {"input[0].content[0].type": "reject"},
        ),
        (
            said({"type": "input_image", "image_url": "https://a.test/b.png"}, role="system"),
            {"input[0].content[0].type": "reject"},
        ),
        (
            said({"type": "input_image", "image_url": "https://a.test/b.png", "detail": "high"}),
            {"input[0].content[0].detail": "drop"},
        ),
        (said({"type": "input_image", "image_url": "gs://a/b.png", "detail": "auto"}), {}),
        (said({"type": "input_file", "file_url": "gs://a/b.pdf"}), {}),
        (
            said(
                {
                    "type": "input_text",
                    "text": "a",
                    "prompt_cache_breakpoint": {"mode": "explicit"},
                }
            ),
            {"input[0].content[0].prompt_cache_breakpoint": "drop"},
        ),
        ({"tools": [{"type": "web_search"}]}, {}),
        (
            {"tools": [{"type": "web_search", "filters": {"allowed_domains": ["a.test"]}}]},
            {"tools[0].filters": "reject"},
        ),
        (
            {"tools": [{"type": "web_search", "search_context_size": "low"}]},
            {"tools[0].search_context_size": "drop"},
        ),
        (
            {"tools": [{"type": "web_search", "external_web_access": False}]},
            {"tools[0].type": "drop"},
        ),
        (
            {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]},
            {"tools[0].container": "reject"},
        ),
        (
            {
                "tools": [
                    {"type": "code_interpreter", "container": {"type": "auto", "file_ids": []}}
                ]
            },
            {"tools[0].container": "reject"},
        ),
        (
            {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
            {"tool_choice.type": "reject"},
        ),
        (
            {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]},
            {"tools[0].type": "reject"},
        ),
        ({"service_tier": "scale"}, {"service_tier": "drop"}),
        ({"service_tier": "priority"}, {}),
        ({"parallel_tool_calls": False}, {"parallel_tool_calls": "drop"}),
        ({"parallel_tool_calls": True}, {}),
        ({"include": ["web_search_call.action.sources", "code_interpreter_call.outputs"]}, {}),
    ],
)
def test_verdicts(request_: dict[str, Any], verdicts: dict[str, str], judge: Judge) -> None:
    assert judge(request_) == verdicts
