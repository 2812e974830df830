"""Earlier reasoning, sent back with the turn that it led to, the way a server wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from gateway.types.items import Reasoning
from gateway_chat.quirks import Quirks
from gateway_chat.reasoning import Carrier, read_carrier

__all__ = ["remember"]

_UNCHECKED = "skip_thought_signature_validator"
"""What Gemini takes for the signature of a call that another model made."""


def remember(message: dict[str, Any], items: Sequence[Reasoning], quirks: Quirks) -> None:
    """Add the reasoning `items` to the assistant's `message` of the same turn."""
    carriers = [read_carrier(item.encrypted_content or None) for item in items]
    match quirks.reasoning_out:
        case "none":
            pass
        case "details":
            if details := [detail for carrier in carriers for detail in carrier.details]:
                message["reasoning_details"] = details
        case "signatures":
            signatures = dict(
                chain.from_iterable(carrier.signatures.items() for carrier in carriers)
            )
            _sign(message, signatures, quirks)
        case way:
            _add_text(message, way, "\n".join(filter(None, map(_text, items, carriers))), quirks)


def _text(item: Reasoning, carrier: Carrier) -> str:
    return carrier.text or "".join(part.text for part in item.content or item.summary)


def _add_text(message: dict[str, Any], way: str, text: str, quirks: Quirks) -> None:
    is_missed = quirks.reasoning_required and "tool_calls" in message
    if way in ("reasoning_content", "reasoning"):
        if text or is_missed:
            message[way] = text
    elif text and way == "thinking":
        message["content"] = _thinking(text, message["content"])
    elif text:
        message["content"] = f"<think>{text}</think>\n\n{message['content'] or ''}"


def _thinking(text: str, content: str | None) -> list[dict[str, Any]]:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
    return [thinking, {"type": "text", "text": content}] if content else [thinking]


def _sign(message: dict[str, Any], signatures: Mapping[str, str], quirks: Quirks) -> None:
    """Put each signature where it came from; of calls made at once only the first has one."""
    calls: list[dict[str, Any]] = message.get("tool_calls", [])
    for call in calls:
        if signature := signatures.get(call["id"]):
            call["extra_content"] = _signed(signature)
    if signature := signatures.get(""):
        message["extra_content"] = _signed(signature)
    if calls and quirks.reasoning_required and not any("extra_content" in call for call in calls):
        calls[0]["extra_content"] = _signed(_UNCHECKED)


def _signed(signature: str) -> dict[str, Any]:
    return {"google": {"thought_signature": signature}}
