"""What a client sends after an answer: all that was said so far, and more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from gateway.plugin import Call
from gateway.testing.cases import Case
from gateway.testing.probes import texts
from gateway.types.items import Reasoning
from gateway.types.request import decode_request

__all__ = ["next_turn", "said", "without_carriers", "without_reasoning"]

Output = list[dict[str, Any]]

_SCREENSHOT = {
    "type": "computer_screenshot",
    "image_url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4"
    "2mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
}
_OUTPUTS: dict[str, Any] = {
    "function_call": "done",
    "custom_tool_call": "done",
    "computer_call": _SCREENSHOT,
}


def next_turn(case: Case, output: Output) -> Call:
    """Return the call that follows when the client sends back the `output` that answered `case`."""
    request = msgspec.json.decode((case.path / "request.json").read_bytes())
    asked = request["input"]
    items = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    results = [
        {"type": f"{kind}_output", "call_id": item["call_id"], "output": _OUTPUTS[kind]}
        for item in output
        if (kind := item["type"]) in _OUTPUTS
    ]
    thanks = {"role": "user", "content": "Thank you. And now?"}
    request["input"] = [*items, *output, *results, thanks]
    request.pop("tool_choice", None)
    return replace(case.call, request=decode_request(msgspec.json.encode(request)))


def without_reasoning(call: Call) -> Call:
    """Return `call` as clients send it who keep no reasoning."""
    items = tuple(item for item in call.request.input or () if not isinstance(item, Reasoning))
    return replace(call, request=replace(call.request, input=items))


def without_carriers(call: Call) -> Call:
    """Return `call` as it is when another model has made its reasoning."""
    items = tuple(
        replace(item, encrypted_content=UNSET) if isinstance(item, Reasoning) else item
        for item in call.request.input or ()
    )
    return replace(call, request=replace(call.request, input=items))


def said(output: Output) -> Iterator[str]:
    """Yield what the model said, and which tools it called with what."""
    for item in output:
        match item["type"]:
            case "message":
                for part in item["content"]:
                    yield part.get("text", part.get("refusal", "")).strip()
            case "function_call":
                yield from (item["call_id"], item["name"], *_leaves(item["arguments"]))
            case "custom_tool_call":
                yield from (item["call_id"], item["name"], *_leaves(item["input"]))
            case _:
                pass


def _leaves(text: str) -> list[str]:
    """Return the names and values in `text` if it is JSON, else `text`."""
    found = [*texts(text)]
    return found[1:] or [one for one in found if one != "{}"]  # vendors may write that as they like
