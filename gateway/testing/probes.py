"""Invented requests that try out all that a request can hold.

Each place of theirs that holds words has a word of its own, such as `probeUser`, so that a word
which does not arrive shows what was lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import msgspec
from msgspec import Struct, field

__all__ = ["SAYINGS", "SETTINGS", "Setting", "texts", "words"]

Json = dict[str, Any]

_WORD = re.compile(r"probe[A-Z]\w*|cHJvYm[\w+/]+")  # or the start of one, in base64
_URL = "https://files.test/probeAddress.png"
_PIXELS = "data:image/png;base64,cHJvYmVQaXhlbHM="
_PAGES = "data:application/pdf;base64,cHJvYmVQYWdlcw=="
_ASK: Json = {"role": "user", "content": "probeQuestion"}
_FUNCTION: Json = {
    "type": "function",
    "name": "probeTool",
    "description": "probeToolDescription",
    "parameters": {
        "type": "object",
        "properties": {"probeField": {"type": "string", "description": "probeFieldDescription"}},
        "required": ["probeField"],
        "additionalProperties": False,
    },
}
_OTHER_FUNCTION: Json = {"type": "function", "name": "probeOtherTool", "parameters": None}
_NAMED: Json = {"type": "function", "name": "probeTool"}
_TOOLS = [_FUNCTION, _OTHER_FUNCTION]
_SCHEMA: Json = {
    "type": "json_schema",
    "name": "probeSchema",
    "schema": {
        "type": "object",
        "properties": {"probeAnswer": {"type": "string", "description": "probeAnswerDescription"}},
        "required": ["probeAnswer"],
        "additionalProperties": False,
    },
}


def _user(*parts: Json) -> Json:
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": "?"}, *parts]}]}


def _called(number: str) -> Json:
    return {
        "type": "function_call",
        "call_id": f"probeCall{number}",
        "name": "probeTool",
        "arguments": f'{{"probeField": "probeArgument{number}"}}',
    }


def _returned(number: str, *parts: Json) -> Json:
    output = [*parts] if parts else f"probeOutput{number}"
    return {"type": "function_call_output", "call_id": f"probeCall{number}", "output": output}


SAYINGS: Mapping[str, Json] = {
    "instructions": {"instructions": "probeInstructions", "input": [_ASK]},
    "text": {"input": "probeInput"},
    "messages": {
        "input": [
            {"role": "system", "content": "probeSystem"},
            {"role": "developer", "content": [{"type": "input_text", "text": "probeDeveloper"}]},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "probeUser"},
                    {"type": "input_text", "text": "probeUserGoesOn"},
                ],
            },
            {"role": "assistant", "content": [{"type": "output_text", "text": "probeAssistant"}]},
            {"role": "user", "content": "probeMore"},
            {"role": "assistant", "content": "probeAssistantGoesOn"},
            {"role": "user", "content": "probeLatest"},
        ]
    },
    "a refusal": {
        "input": [
            _ASK,
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "probeRefusal"}]},
            {"role": "user", "content": "probeLatest"},
        ]
    },
    "an image by address": _user({"type": "input_image", "image_url": _URL}),
    "an image as data": _user({"type": "input_image", "image_url": _PIXELS}),
    "an image by id": _user({"type": "input_image", "file_id": "probeImageId"}),
    "a file by address": _user(
        {"type": "input_file", "file_url": "https://files.test/probeAddress.pdf"}
    ),
    "a file as data": _user(
        {"type": "input_file", "filename": "probeName.pdf", "file_data": _PAGES}
    ),
    "a file by id": _user({"type": "input_file", "file_id": "probeFileId"}),
    "sound": _user(
        {"type": "input_audio", "input_audio": {"data": "cHJvYmVTb3VuZA==", "format": "wav"}}
    ),
    "functions": {"input": [_ASK], "tools": _TOOLS},
    "a call": {
        "input": [_ASK, _called("A"), _returned("A"), {"role": "user", "content": "probeLatest"}],
        "tools": _TOOLS,
    },
    "two calls at once": {
        "input": [_ASK, _called("A"), _called("B"), _returned("A"), _returned("B")],
        "tools": _TOOLS,
    },
    "text between calls": {
        "input": [
            _ASK,
            {"role": "assistant", "content": "probeAnnouncement"},
            _called("A"),
            _returned("A"),
            {"role": "assistant", "content": "probeRemark"},
            _called("B"),
            _returned("B"),
        ],
        "tools": _TOOLS,
    },
    "an output in parts": {
        "input": [
            _ASK,
            _called("A"),
            _returned(
                "A",
                {"type": "input_text", "text": "probeOutput"},
                {"type": "input_text", "text": "probeOutputGoesOn"},
            ),
        ],
        "tools": _TOOLS,
    },
    "an image from a tool": {
        "input": [
            _ASK,
            _called("A"),
            _returned("A", {"type": "input_image", "image_url": _PIXELS}),
        ],
        "tools": _TOOLS,
    },
    "a custom tool": {
        "input": [
            _ASK,
            {
                "type": "custom_tool_call",
                "call_id": "c1",
                "name": "probeWriter",
                "input": "probeIn",
            },
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "probeOutput"},
        ],
        "tools": [{"type": "custom", "name": "probeWriter", "description": "probeDescription"}],
    },
    "a tool in a namespace": {
        "input": [_ASK, {**_called("A"), "namespace": "probeSpace"}, _returned("A")],
        "tools": [{"type": "namespace", "name": "probeSpace", "tools": [_FUNCTION]}],
    },
    "a shell": {
        "input": [
            _ASK,
            {"type": "shell_call", "call_id": "c1", "action": {"commands": ["probeCommand"]}},
            {
                "type": "shell_call_output",
                "call_id": "c1",
                "output": [
                    {
                        "stdout": "probePrinted",
                        "stderr": "probeWarned",
                        "outcome": {"type": "exit", "exit_code": 0},
                    }
                ],
            },
        ],
        "tools": [{"type": "shell", "environment": {"type": "local"}}],
    },
    "a local shell": {
        "input": [
            _ASK,
            {
                "type": "local_shell_call",
                "id": "lsh_1",
                "call_id": "c1",
                "action": {"type": "exec", "command": ["probeCommand"], "env": {}},
            },
            {"type": "local_shell_call_output", "id": "lsh_1", "output": "probePrinted"},
        ],
        "tools": [{"type": "local_shell"}],
    },
    "a patch": {
        "input": [
            _ASK,
            {
                "type": "apply_patch_call",
                "call_id": "c1",
                "operation": {"type": "create_file", "path": "probePath", "diff": "+probeDiff"},
            },
            {
                "type": "apply_patch_call_output",
                "call_id": "c1",
                "status": "completed",
                "output": "probeOutput",
            },
        ],
        "tools": [{"type": "apply_patch"}],
    },
    "additional tools": {
        "input": [_ASK, {"type": "additional_tools", "tools": [_FUNCTION]}],
    },
    "a search for tools": {
        "input": [
            _ASK,
            {
                "type": "tool_search_call",
                "call_id": "c1",
                "execution": "client",
                "arguments": {"query": "probeQuery"},
            },
            {
                "type": "tool_search_output",
                "call_id": "c1",
                "execution": "client",
                "tools": [_FUNCTION],
            },
        ],
        "tools": [{"type": "tool_search", "execution": "client", "description": "probeSearch"}],
    },
    "a schema": {"input": [_ASK], "text": {"format": _SCHEMA}},
}
"""Requests whose words must all arrive, be it as the words of functions."""

_ASKED: Json = {"input": [_ASK]}
_OFFERED: Json = {"input": [_ASK], "tools": _TOOLS}
_ONE_TOOL: Json = {"type": "allowed_tools", "mode": "auto", "tools": [_NAMED]}


class Setting(Struct, frozen=True, kw_only=True):
    """A change of a request that must show in what is sent.

    `path` names what changes, `ground` is the request without it, and `instead` what is there in
    its place for comparison.
    """

    path: str
    change: Json
    ground: Mapping[str, Any] = field(default_factory=lambda: _ASKED)
    instead: Mapping[str, Any] = {}

    @property
    def requests(self) -> tuple[Json, Json]:
        """The request with the change, and the one without."""
        return {**self.ground, **self.change}, {**self.ground, **self.instead}


SETTINGS = (
    Setting(path="max_output_tokens", change={"max_output_tokens": 4000}),
    Setting(
        path="max_output_tokens",
        change={"max_output_tokens": 4000},
        instead={"max_output_tokens": 4001},
    ),
    Setting(path="temperature", change={"temperature": 0.0}),
    Setting(path="temperature", change={"temperature": 0.25}, instead={"temperature": 0.75}),
    Setting(path="top_p", change={"top_p": 0.25}),
    Setting(path="top_p", change={"top_p": 0.25}, instead={"top_p": 0.75}),
    Setting(path="top_logprobs", change={"top_logprobs": 3}),
    Setting(path="include[0]", change={"include": ["message.output_text.logprobs"]}),
    Setting(path="include[0]", change={"include": ["file_search_call.results"]}),
    Setting(path="tools", change={"tools": _TOOLS}),
    Setting(
        path="tools[0].strict",
        change={"tools": [_FUNCTION | {"strict": True}]},
        instead={"tools": [_FUNCTION]},
    ),
    Setting(
        path="parallel_tool_calls",
        change={"parallel_tool_calls": False},
        instead={"parallel_tool_calls": True},
        ground=_OFFERED,
    ),
    *(
        Setting(
            path="tool_choice",
            change={"tool_choice": choice},
            instead={"tool_choice": "auto"},
            ground=_OFFERED,
        )
        for choice in ("none", "required", _NAMED, _ONE_TOOL)
    ),
    Setting(
        path="tool_choice",
        change={"tool_choice": _NAMED},
        instead={"tool_choice": "required"},
        ground=_OFFERED,
    ),
    *(
        Setting(
            path="text.format",
            change={"text": {"format": form}},
            instead={"text": {"format": {"type": "text"}}},
        )
        for form in ({"type": "json_object"}, _SCHEMA)
    ),
    Setting(
        path="text.verbosity",
        change={"text": {"verbosity": "low"}},
        instead={"text": {"verbosity": "high"}},
    ),
    Setting(path="reasoning.effort", change={"reasoning": {"effort": "high"}}),
    Setting(path="reasoning.summary", change={"reasoning": {"summary": "detailed"}}),
)
"""Settings that the answer would feel."""


def words(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each word of its own in the JSON `value`, and the path to where it stands."""
    if isinstance(value, str):
        yield from ((word, path) for word in _WORD.findall(value))
    elif isinstance(value, list):
        for position, element in enumerate(cast("list[object]", value)):
            yield from words(element, f"{path}[{position}]")
    elif isinstance(value, dict):
        for name, member in cast("Json", value).items():
            inner = f"{path}.{name}".removeprefix(".")
            yield from words(name, inner)
            yield from words(member, inner)


def texts(value: object) -> Iterator[str]:
    """Yield each string and number in the JSON `value`, those within JSON text included."""
    match value:
        case str():
            yield value
            if value[:1] in ("{", "["):
                with suppress(msgspec.DecodeError):
                    yield from texts(msgspec.json.decode(value))
        case list():
            for element in cast("list[object]", value):
                yield from texts(element)
        case dict():
            for name, member in cast("Json", value).items():
                yield name
                yield from texts(member)
        case _:
            yield str(value)
