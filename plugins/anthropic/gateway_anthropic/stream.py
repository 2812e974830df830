"""Anthropic's answers, read as deltas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from gateway.errors import UpstreamProtocolError
from gateway.plugin import (
    Call,
    Delta,
    Failure,
    Finished,
    FinishReason,
    Frame,
    Refusal,
    Thought,
    ToolCall,
    UpstreamRequest,
    Used,
)
from gateway.plugin.carriers import carry
from gateway.plugin.failures import read_failure
from gateway.plugin.names import told_names
from gateway.plugin.reports import told_status
from gateway.plugin.usage import Tally
from gateway_anthropic.blocks import ArrivingBlock, Event, read_event
from gateway_anthropic.carriers import Block
from gateway_anthropic.citations import Speech
from gateway_anthropic.computer import ComputerReader
from gateway_anthropic.request import continue_request
from gateway_anthropic.server_tools import Opaque
from gateway_anthropic.usage import read_usage

__all__ = ["AnthropicTranslator"]

_ENDINGS: Mapping[str, FinishReason] = {
    **dict.fromkeys(("compaction", "end_turn", "stop_sequence", "tool_use"), "stop"),
    **dict.fromkeys(("max_tokens", "model_context_window_exceeded"), "max_output_tokens"),
    "pause_turn": "max_output_tokens",  # once too often
    "refusal": "content_filter",
}


class AnthropicTranslator:
    """Reads what Claude answers to `call`, streamed or whole, in one answer or in several."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._names = told_names(call.request)
        self._arriving: dict[int, ArrivingBlock] = {}
        self._count = 0
        self._whole: list[Block] = []
        self._speech = Speech()
        self._opaque = Opaque(call.request)
        self._computer = ComputerReader(call.request)
        self._tally = Tally()
        self._ending = Event()

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        """Say what `frame` means. Raises the `UpstreamError` that it reports, if it does."""
        event = read_event(frame.data)
        match event.type or frame.event:
            case "content_block_delta" if block := self._arriving.get(event.index):
                block.add(news := event.delta or {})
                yield from self._tell(block, news)
            case "content_block_start":
                yield from self._begin(event.index, event.content_block or {})
            case "content_block_stop":
                yield from self._end(event.index)
            case "message" | "message_start":
                yield from self._begin_answer(event.message or event)
            case "message_delta":
                yield from self._learn(msgspec.convert(event.delta or {}, Event), event.usage)
            case "message_stop":
                yield from self._stop()
            case kind:
                if kind == "error" or event.error:
                    failure = Failure(status=told_status(event.error), body=frame.data)
                    raise read_failure(failure, provider=self._call.deployment.provider)

    def continuation(self) -> UpstreamRequest | None:
        """Return what to ask when Claude has paused in the middle of its turn."""
        if not self._tally.resume():
            return None
        return continue_request(self._call, self._whole, self._opaque.container)

    def _begin_answer(self, message: Event) -> Iterator[Delta]:
        self._arriving.clear()
        yield from self._learn(message, message.usage)
        for index, content in enumerate(message.content or ()):
            yield from self._begin(index, content)
            yield from self._end(index)
        yield from self._stop()

    def _learn(self, message: Event, usage: Block | None) -> Iterator[Delta]:
        """Take in what is said of the message as a whole."""
        self._ending = message
        if message.container:
            self._opaque.container = str(message.container.get("id") or "")
        if usage:
            yield Used(read_usage(usage, self._tally))

    def _begin(self, index: int, content: Block) -> Iterator[Delta]:
        block = ArrivingBlock(content, self._count, self._kind(content))
        self._arriving[index] = block
        self._count += 1
        self._speech.begin_block(block.key, is_text=block.kind == "text")
        if block.kind != "opaque":
            yield from self._opaque.flush(block.key)
        if block.kind != "computer":
            yield from self._computer.flush()
        if block.kind == "tool_use":
            name, given = str(content.get("name")), content.get("input")
            arguments = msgspec.json.encode(given).decode() if given else ""
            call_id = str(content.get("id") or "") or None
            yield ToolCall(block.key, call_id, self._names.get(name, name), arguments)
        yield from self._tell(block, content)

    def _kind(self, content: Block) -> str:
        kind = str(content.get("type"))
        if kind == "tool_use" and self._computer.claims(content):
            return "computer"
        return kind if kind in ("text", "thinking", "tool_use") else "opaque"

    def _tell(self, block: ArrivingBlock, news: Block) -> Iterator[Delta]:
        """Tell what need not wait for the end of `block`."""
        match block.kind, news:
            case "text", {"text": str(text)} if text:
                yield self._speech.say(text)
            case "thinking", {"thinking": str(text)} if text:
                yield Thought(text, block.key, kind="summary")
            case "tool_use", {"partial_json": str(piece)} if piece:
                yield ToolCall(block.key, arguments=piece)
            case _:
                pass

    def _end(self, index: int) -> Iterator[Delta]:
        block = self._arriving.pop(index, None)
        if block is None or not block.close():
            return
        # Anthropic would refuse a blank text.
        if block.kind != "text" or str(block.content.get("text")).strip():
            self._whole.append(block.content)
        if block.kind == "text":
            yield from self._speech.cite(block.content.get("citations"))
        elif block.kind == "opaque":
            yield from self._opaque.add(block.content)
        elif block.kind == "computer":
            self._computer.add(block.content)
        elif block.content.get("signature"):  # a thought without it would not be taken back
            yield carry(block.key, block.content)

    def _stop(self) -> Iterator[Delta]:
        reason = self._ending.stop_reason
        if not reason or (reason == "pause_turn" and self._tally.pause()):
            return
        if reason not in _ENDINGS and not self._count:
            raise UpstreamProtocolError(
                f"the upstream ended without output, with the unknown stop_reason {reason[:40]!r}"
            )
        if reason != "tool_use":  # code that calls the client's tools goes on with their results
            self._opaque.forget_unanswered()
        yield from self._opaque.flush(self._count)
        yield from self._computer.flush()
        explanation = (self._ending.stop_details or {}).get("explanation")
        if reason == "refusal" and explanation and not self._speech.said:
            yield Refusal(str(explanation), self._count)
        yield Finished(_ENDINGS.get(reason, "stop"))
