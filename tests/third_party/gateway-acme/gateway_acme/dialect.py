"""Responses requests, written as Acme's."""

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from gateway.errors import UpstreamError
from gateway.plugin import Call, Deployment, Failure, SupportTable, UpstreamRequest, Verdict
from gateway.plugin.failures import read_failure
from gateway.plugin.support import FUNCTIONS_ONLY, drop, reject
from gateway.types import items
from gateway.types.content import ContentPart, InputText, OutputText
from gateway.types.parameters import TextConfig
from gateway.types.request import Request
from gateway.types.tools import FunctionTool
from gateway_acme.stream import AcmeTranslator

SPEAKERS = {"user": "user", "assistant": "model", "system": "system", "developer": "system"}


class AcmeDialect:
    """Speaks Acme's generate endpoint: text, thoughts and function calls."""

    name: ClassVar[str] = "acme-generate"
    support: ClassVar[SupportTable] = FUNCTIONS_ONLY.but(
        parameters={
            "parallel_tool_calls": drop("acme makes as many calls as it likes", True),
            "text": reject("acme writes plain text", TextConfig()),
            "tool_choice": reject("acme calls what it likes", "auto"),
            "top_logprobs": reject("acme does not say how likely its words were"),
            "top_p": reject("acme has only heat", 1.0),
        },
        details={"tools[].strict": drop("acme does not promise to keep to the schema")},
        includes={"message.output_text.logprobs": reject("acme does not say it")},
    )

    def check(self, request: Request, deployment: Deployment, /) -> Iterator[Verdict]:
        yield from self.support.judge(request)
        for position, item in enumerate(_items(request)):
            field, content = _content(item)
            for index, part in enumerate(() if isinstance(content, str) else content):
                if not isinstance(part, InputText | OutputText):
                    param = f"input[{position}].{field}[{index}].type"
                    yield Verdict(action="reject", param=param, reason="acme reads only text")

    def encode(self, call: Call, /) -> UpstreamRequest:
        request = call.request
        body = {
            "model": call.model,
            "live": True,
            "system": request.instructions,
            "turns": [turn for item in _items(request) if (turn := _turn(item))],
            "tools": [_tool(t) for t in request.tools or () if isinstance(t, FunctionTool)] or None,
            "limit": request.max_output_tokens,
            "heat": request.temperature,
            "effort": request.reasoning.effort if request.reasoning else None,
        }
        return UpstreamRequest(
            url=f"{call.deployment.base_url}/v2/generate",
            headers={"content-type": "application/json"},
            body=msgspec.json.encode({k: value for k, value in body.items() if value is not None}),
        )

    def translator(self, call: Call, /) -> AcmeTranslator:
        return AcmeTranslator()

    def error(self, failure: Failure, /) -> UpstreamError:
        return read_failure(failure, provider="acme")


def _items(request: Request) -> tuple[items.InputItem, ...]:
    if isinstance(request.input, str):
        return (items.Message(role="user", content=request.input),)
    return request.input or ()


def _content(item: items.InputItem) -> tuple[str, str | tuple[ContentPart, ...]]:
    match item:
        case items.Message():
            return "content", item.content
        case items.FunctionCallOutput() | items.CustomToolCallOutput():
            return "output", item.output
        case _:
            return "", ()


def _turn(item: items.InputItem) -> dict[str, Any] | None:
    match item:
        case items.Message():
            return {"from": SPEAKERS[item.role], "text": _text(item)}
        case items.FunctionCall():
            call = {"id": item.call_id, "tool": item.name, "args": item.arguments}
            return {"from": "model", "call": call}
        case items.FunctionCallOutput():
            return {"from": "tool", "id": item.call_id, "text": _text(item)}
        case items.Reasoning(encrypted_content=str(carrier)):
            return msgspec.json.decode(carrier)
        case _:
            return None  # a thought of another model: Acme takes none without its proof


def _text(item: items.InputItem) -> str:
    _, content = _content(item)
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content if isinstance(part, InputText | OutputText))


def _tool(tool: FunctionTool) -> dict[str, Any]:
    return {"name": tool.name, "about": tool.description or "", "schema": tool.parameters or {}}
