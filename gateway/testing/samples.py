"""A sample of every parameter, item and tool of the Responses API, and of some that are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import fields

from gateway.types.items import InputItem
from gateway.types.open import OpenUnion
from gateway.types.request import Request
from gateway.types.tools import Tool

__all__ = [
    "DETAILS",
    "ITEMS",
    "PARAMETERS",
    "STRANGERS",
    "TOOLS",
    "item_types",
    "parameters",
    "tool_types",
]

Json = dict[str, Any]

_FUNCTION: Json = {"type": "function", "name": "tell", "parameters": {"type": "object"}}

PARAMETERS: Mapping[str, tuple[object, ...]] = {
    "model": ("some-model",),
    "input": ("Hello",),
    "instructions": ("Be brief.",),
    "tools": ([_FUNCTION],),
    "tool_choice": ("required", "none"),
    "parallel_tool_calls": (False, True),
    "max_tool_calls": (3,),
    "max_output_tokens": (4000,),
    "temperature": (0.25, 0.75),
    "top_p": (0.25, 0.75),
    "top_logprobs": (3,),
    "reasoning": ({"effort": "high"}, {"effort": "low"}),
    "text": ({"format": {"type": "json_object"}}, {"verbosity": "low"}),
    "truncation": ("auto", "disabled"),
    "include": (["message.output_text.logprobs"],),
    "stream": (True,),
    "stream_options": ({"include_obfuscation": True}, {"include_obfuscation": False}),
    "store": (True, False),
    "background": (True, False),
    "background_options": ({"mode": "some"},),
    "previous_response_id": ("resp_1",),
    "conversation": ("conv_1",),
    "context_management": ([{"type": "compaction", "compact_threshold": 1000}],),
    "prompt": ({"id": "pmpt_1"},),
    "prompt_cache_key": ("key",),
    "prompt_cache_options": ({"mode": "explicit"},),
    "prompt_cache_retention": ("24h", "in_memory"),
    "metadata": ({"topic": "demo"},),
    "service_tier": ("flex", "priority"),
    "safety_identifier": ("someone",),
    "user": ("someone",),
    "moderation": ({"model": "some"},),
    "access_programs": ({"some": "program"},),
    "image": ({"some": "hint"},),
}
"""Values of each parameter; one of them asks for something that does not happen anyway."""

DETAILS: Mapping[str, Json] = {
    "reasoning.effort": {"reasoning": {"effort": "high"}},
    "reasoning.summary": {"reasoning": {"summary": "detailed"}},
    "reasoning.generate_summary": {"reasoning": {"generate_summary": "detailed"}},
    "reasoning.context": {"reasoning": {"context": "all_turns"}},
    "reasoning.mode": {"reasoning": {"mode": "pro"}},
    "text.format": {"text": {"format": {"type": "json_object"}}},
    "text.verbosity": {"text": {"verbosity": "low"}},
    "tools[].strict": {"tools": [{**_FUNCTION, "strict": True}]},
    "tools[].output_schema": {"tools": [{**_FUNCTION, "output_schema": {"type": "object"}}]},
    "tools[].allowed_callers": {"tools": [{**_FUNCTION, "allowed_callers": ["direct"]}]},
    "tools[].async": {"tools": [{**_FUNCTION, "async": True}]},
    "tools[].defer_loading": {"tools": [{**_FUNCTION, "defer_loading": True}]},
}
"""A request with each member of a parameter or tool that a dialect may know or not."""

ITEMS: Mapping[str, Json] = {
    "message": {"role": "user", "content": "Hello"},
    "function_call": {"call_id": "c1", "name": "tell", "arguments": "{}"},
    "function_call_output": {"call_id": "c1", "output": "done"},
    "reasoning": {"summary": []},
    "custom_tool_call": {"call_id": "c1", "name": "write", "input": "text"},
    "custom_tool_call_output": {"call_id": "c1", "output": "done"},
    "shell_call": {"call_id": "c1", "action": {"commands": ["ls"]}},
    "shell_call_output": {
        "call_id": "c1",
        "output": [{"stdout": "", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
    },
    "local_shell_call": {
        "call_id": "c1",
        "action": {"type": "exec", "command": ["ls"], "env": {}},
    },
    "local_shell_call_output": {"call_id": "c1", "output": "done"},
    "apply_patch_call": {
        "call_id": "c1",
        "operation": {"type": "create_file", "path": "a.txt", "diff": "+a"},
    },
    "apply_patch_call_output": {"call_id": "c1", "status": "completed", "output": "done"},
    "tool_search_call": {"call_id": "c1", "execution": "client", "arguments": {"query": "tell"}},
    "tool_search_output": {"call_id": "c1", "execution": "client", "tools": [_FUNCTION]},
    "additional_tools": {"tools": [_FUNCTION]},
    "item_reference": {"id": "msg_1"},
    "compaction": {"encrypted_content": "opaque"},
    "compaction_trigger": {},
    "configuration_update": {"reasoning": {"effort": "low"}},
    "file_search_call": {"id": "fs_1", "queries": ["what"], "status": "completed"},
    "web_search_call": {"id": "ws_1", "status": "completed", "action": {"type": "search"}},
    "code_interpreter_call": {"id": "ci_1", "container_id": "cntr_1", "code": "1"},
    "image_generation_call": {"id": "ig_1", "status": "completed", "result": "AAAA"},
    "computer_call": {"id": "cu_1", "call_id": "c1", "action": {"type": "screenshot"}},
    "computer_call_output": {
        "call_id": "c1",
        "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AAAA"},
    },
    "mcp_list_tools": {"id": "mcpl_1", "server_label": "wiki", "tools": []},
    "mcp_approval_request": {
        "id": "mcpr_1",
        "server_label": "wiki",
        "name": "ask",
        "arguments": "{}",
    },
    "mcp_approval_response": {"approval_request_id": "mcpr_1", "approve": True},
    "mcp_call": {"id": "mcp_1", "server_label": "wiki", "name": "ask", "arguments": "{}"},
    "program": {"call_id": "c1", "code": "1"},
    "program_output": {"call_id": "c1", "result": "1"},
}
"""An item of each type, without its `type`."""

TOOLS: Mapping[str, Json] = {
    "function": {"name": "tell", "parameters": {"type": "object"}},
    "custom": {"name": "write"},
    "namespace": {"name": "files", "tools": [_FUNCTION]},
    "tool_search": {"execution": "client", "description": "Find tools.", "parameters": {}},
    "shell": {"environment": {"type": "local"}},
    "local_shell": {},
    "apply_patch": {},
    "mcp": {"server_label": "wiki", "server_url": "https://wiki.test/mcp"},
    "computer": {},
    "computer_use_preview": {"display_width": 800, "display_height": 600, "environment": "linux"},
    "web_search": {},
    "web_search_preview": {},
    "file_search": {"vector_store_ids": ["vs_1"]},
    "code_interpreter": {"container": {"type": "auto"}},
    "image_generation": {},
    "programmatic_tool_calling": {},
}
"""A tool of each type, without its `type`."""

_HELLO: Json = {"role": "user", "content": "Hello"}
_NEW: Json = {"type": "not_invented_yet", "text": "something"}

STRANGERS: Mapping[str, Json] = {
    "input[1]": {"input": [_HELLO, _NEW]},
    "input[0].content[0]": {"input": [{"role": "user", "content": [_NEW]}]},
    "input[2].output[0]": {
        "input": [
            _HELLO,
            {"type": "function_call", **ITEMS["function_call"]},
            {"type": "function_call_output", "call_id": "c1", "output": [_NEW]},
        ]
    },
    "tools[1]": {"tools": [_FUNCTION, _NEW]},
    "tool_choice": {"tools": [_FUNCTION], "tool_choice": _NEW},
    "text.format": {"text": {"format": _NEW}},
    "include[0]": {"include": ["not_invented_yet"]},
}
"""Requests with something that nobody knows yet, by where it stands."""


def parameters() -> tuple[str, ...]:
    """Return the names of all parameters."""
    return Request.__struct_fields__


def item_types() -> set[str]:
    """Return the types of all items that may be in an input."""
    return {*_types(InputItem)}


def tool_types() -> set[str]:
    """Return the types of all tools; a dated name of one is not a type of its own."""
    return {*_types(Tool)}


def _types(union: object) -> Iterator[str]:
    for struct in cast("OpenUnion", union).members.variants.values():
        yield _type(struct)


def _type(struct: type[Struct]) -> str:
    tag = struct.__struct_config__.tag
    return str(tag or next(field.default for field in fields(struct) if field.name == "type"))
