"""Turns what a provider said into the Responses event stream."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from gateway.errors import GatewayError, UpstreamProtocolError
from gateway.stream import deltas as d
from gateway.stream.calls import Begun, Calls, Slot, written
from gateway.stream.failure import error_event, response_error
from gateway.stream.hosted import HostedSlot, Hosting
from gateway.stream.identities import Identities
from gateway.stream.slots import CallSlot, CustomCallSlot, MessageSlot, ReasoningSlot, Status
from gateway.stream.whole_items import whole_events, with_parts
from gateway.types.content import Logprob
from gateway.types.events import (
    Event,
    KnownEvent,
    ResponseCompleted,
    ResponseCreated,
    ResponseFailed,
    ResponseIncomplete,
    ResponseInProgress,
    ResponseQueued,
)
from gateway.types.items import OutputItem
from gateway.types.response import IncompleteDetails, Response, Usage

__all__ = ["Assembler"]

_NAMELESS = "the provider began a tool call without a name"
_TERMINAL: dict[str, type[ResponseCompleted | ResponseIncomplete | ResponseFailed]] = {
    "completed": ResponseCompleted,
    "incomplete": ResponseIncomplete,
    "failed": ResponseFailed,
}


class Assembler:
    """Owns everything about a response that is ours and not the provider's.

    Feed it deltas in upstream order; it answers with events in wire order: `start`, any number of
    `feed`, then `finish` or `fail`, after which nothing more comes. One message or one reasoning
    item is open at a time, or any number of function calls; any number of tools is at work beside.
    Several turns of the model make one response if each but the last is ended by `pause`.

    `mint` makes ids from prefixes, `now` tells Unix seconds, `seal` makes of a carrier what a
    client may hold. `appendix` makes an item out of all others, which is told at the end of a
    response that has not failed.
    """

    def __init__(
        self,
        response: Response,
        mint: Callable[[str], str],
        now: Callable[[], float] = time.time,
        seal: Callable[[str], str] = str,
        appendix: Callable[[tuple[OutputItem, ...]], OutputItem] | None = None,
    ) -> None:
        self._response = response
        self._identities = Identities(mint)
        self._now = now
        self._seal = seal
        self._appendix = appendix
        self._number = 0
        self._ended = False
        self._told = False
        self._reason: d.FinishReason | None = None
        self._usage = Usage()
        self._indexes = 0
        self._items: dict[int, OutputItem] = {}
        self._writing: MessageSlot | ReasoningSlot | None = None
        self._logprobs: dict[d.Key, tuple[Logprob, ...]] = {}
        self._calls = Calls()
        self._hosting = Hosting()

    @property
    def response(self) -> Response:
        """The response so far; after the end, exactly what the terminal event says."""
        if self._ended:
            return self._response
        return msgspec.structs.replace(self._response, output=self._output(), usage=self._usage)

    @property
    def finished(self) -> bool:
        """Whether the provider's end marker has come, after which nothing new begins."""
        return self._reason is not None

    def start(self) -> list[Event]:
        """Return the first events; a response in the background has been queued before."""
        events: list[KnownEvent] = []
        if self._response.background:
            queued = msgspec.structs.replace(self._response, status="queued")
            events = [ResponseCreated(response=queued), ResponseQueued(response=queued)]
        else:
            events = [ResponseCreated(response=self._response)]
        return self._stamp([*events, ResponseInProgress(response=self._response)])

    def feed(self, delta: d.Delta, /) -> list[Event]:
        """Return the events that `delta` brings about.

        Raises `UpstreamProtocolError` for more of a call or a tool that has ended, or not begun.
        """
        if type(delta) is d.Text and (event := self._go_on(delta)):
            event.sequence_number = self._number
            self._number += 1
            return [event]
        if self._ended:
            return []
        if self._reason is not None and not self._may_follow(delta):
            return []
        return self._stamp(self._read(delta))

    def pause(self) -> list[Event]:
        """End one of several turns of the model: all that it said is completed, and its keys mean
        nothing any more. Tools stay at work.

        Raises `UpstreamProtocolError` for a call that was never named.
        """
        if self._ended:
            return []
        if self._calls.nameless:
            raise UpstreamProtocolError(_NAMELESS)
        events = self._close_all("completed")
        self._calls = Calls()
        self._logprobs.clear()
        self._reason = None
        return self._stamp(events)

    def finish(self) -> list[Event]:
        """End the response. Without a `Finished` delta before it, that is a failure."""
        return self.conclude() + self.terminal()

    def fail(self, error: GatewayError, /) -> list[Event]:
        """End the response with `error`; what is open stays incomplete."""
        return self.conclude(error) + self.terminal()

    def conclude(self, error: GatewayError | None = None, /) -> list[Event]:
        """Decide how the response ends, with `error` or as the deltas said: return all but the
        terminal event, which `terminal` gives.
        """
        if self._ended:
            return []
        error = error or self._defect()
        stopped = error is None and self._reason == "stop"
        events = self._close_all("completed" if stopped else "incomplete") + self._abandon()
        if error is not None:
            self._settle(status="failed", error=response_error(error))
            return self._stamp([*events, error_event(error)])
        events += self._append()
        if stopped:
            self._settle(status="completed", completed_at=int(self._now()))
        else:
            reason = IncompleteDetails(reason=self._reason)
            self._settle(status="incomplete", incomplete_details=reason)
        return self._stamp(events)

    def terminal(self, response: Response | None = None) -> list[Event]:
        """Return the last event: once, after `conclude`. `response` may take the place of what was
        decided, such as a failure to keep it.
        """
        if not self._ended or self._told:
            return []
        self._told = True
        if response is not None:
            self._response = response
        return self._stamp([_TERMINAL[self._response.status or "failed"](response=self._response)])

    def refuse(self, error: GatewayError, /) -> list[Event]:
        """Say that the response which was concluded failed after all."""
        if not self._ended or self._told:
            return []
        failed = msgspec.structs.replace(
            self._response, status="failed", completed_at=None, error=response_error(error)
        )
        return self._stamp([error_event(error)]) + self.terminal(failed)

    def _defect(self) -> GatewayError | None:
        """Return why what the provider said is no answer, if it is none."""
        if self._reason is None:
            return UpstreamProtocolError("the provider's stream ended before its answer did")
        if self._reason == "stop" and self._calls.nameless:
            return UpstreamProtocolError(_NAMELESS)
        return None

    def _go_on(self, delta: d.Text) -> KnownEvent | None:
        """Return the event of text that only continues what is being said, as most of it does."""
        message = self._writing
        if (
            type(message) is MessageSlot
            and message.key == delta.key
            and delta.text
            and self._reason is None
            and not self._logprobs
        ):
            return message.say_more(delta)
        return None

    def _may_follow(self, delta: d.Delta) -> bool:
        """Say whether `delta` counts after the end marker: nothing that begins anything."""
        match delta:
            case d.Used() | d.HostedArguments() | d.HostedEnd():
                return True
            case d.Annotation(key=key):
                return isinstance(self._writing, MessageSlot) and self._writing.key == key
            case _:
                return False

    def _stamp(self, events: list[KnownEvent]) -> list[Event]:
        for event in events:
            event.sequence_number = self._number
            self._number += 1
        return [*events]

    def _settle(self, **changes: object) -> None:
        self._ended = True
        self._response = msgspec.structs.replace(
            self._response, output=self._output(), usage=self._usage, **changes
        )

    def _output(self) -> tuple[OutputItem, ...]:
        return tuple(item for _, item in sorted(self._items.items()))

    def _read(self, delta: d.Delta) -> list[KnownEvent]:
        match delta:
            case d.Text() | d.Refusal() | d.Annotation() | d.Logprobs():
                return self._speak(delta)
            case d.Thought():
                return self._think(delta)
            case d.ToolCall() | d.CustomCall():
                return self._call(delta)
            case d.Item() | d.Hosted() | d.HostedArguments() | d.HostedEnd():
                return self._present(delta)
            case d.Used(usage):
                self._usage = usage
                return []
            case d.Finished(reason):
                self._reason = reason
                return self._wind_up()

    def _wind_up(self) -> list[KnownEvent]:
        """End what is over with the end marker; the sources of a message may still come."""
        if isinstance(self._writing, MessageSlot):
            return []
        return self._close_all("completed" if self._reason == "stop" else "incomplete")

    def _speak(self, delta: d.Text | d.Refusal | d.Annotation | d.Logprobs) -> list[KnownEvent]:
        events: list[KnownEvent] = []
        match delta:
            case d.Text(text, key):
                if text:
                    message = self._message(key, events, delta.phase)
                    events += message.say(delta, self._logprobs.pop(key, ()))
            case d.Refusal(text, key):
                if text:
                    events += self._message(key, events).refuse(text)
            case d.Annotation(annotation, key):
                events += self._message(key, events).annotate(annotation)
            case d.Logprobs(logprobs, key):
                self._logprobs[key] = self._logprobs.get(key, ()) + logprobs
        return events

    def _message(
        self, key: d.Key, events: list[KnownEvent], phase: str | None = None
    ) -> MessageSlot:
        """Return the open message `key`; what opening it takes goes to `events`."""
        if isinstance(self._writing, MessageSlot) and self._writing.key == key:
            return self._writing
        events += self._close_all("completed")
        slot = self._writing = MessageSlot(
            key, self._next_index(), self._identities.new_item("msg"), phase
        )
        events += slot.opening()
        return slot

    def _think(self, delta: d.Thought) -> list[KnownEvent]:
        events: list[KnownEvent] = []
        if delta.text or delta.carrier:
            slot = self._reasoning(delta.key, events)
            if delta.carrier:
                slot.carry(self._seal(delta.carrier))
            if delta.text:
                events += slot.think(delta)
        return events

    def _reasoning(self, key: d.Key, events: list[KnownEvent]) -> ReasoningSlot:
        if isinstance(self._writing, ReasoningSlot) and self._writing.key == key:
            return self._writing
        events += self._close_all("completed")
        slot = self._writing = ReasoningSlot(
            key, self._next_index(), self._identities.new_item("rs")
        )
        events += slot.opening()
        return slot

    def _call(self, delta: Begun) -> list[KnownEvent]:
        if opened := self._calls.get(delta):
            return opened.write(written(delta))
        begun = self._calls.begin(delta)
        if begun is None:
            return []
        events = self._close_writing("completed")
        call_id = self._identities.call_id(begun.call_id)
        slot: Slot
        if isinstance(begun, d.ToolCall):
            slot = CallSlot(self._next_index(), self._identities.new_item("fc"), call_id, begun)
        else:
            slot = CustomCallSlot(
                self._next_index(), self._identities.new_item("ctc"), call_id, begun
            )
        self._calls.open(begun, slot)
        return [*events, *slot.opening(), *slot.write(written(begun))]

    def _present(
        self, delta: d.Item | d.Hosted | d.HostedArguments | d.HostedEnd
    ) -> list[KnownEvent]:
        """Tell of what the model did not write; calls that are open go on around it."""
        match delta:
            case d.Item(item):
                return self._hand_over(with_parts(item))
            case d.Hosted(key, item):
                slot = HostedSlot(self._indexes, self._identities.identified(with_parts(item)))
                self._hosting.begin(key, slot)
                self._indexes += 1
                return self._close_writing("completed") + slot.opening()
            case d.HostedArguments(key, arguments, complete):
                return self._hosting.get(key).write(arguments, complete=complete)
            case d.HostedEnd(key, item):
                slot = self._hosting.end(key)
                events = slot.closing(item)
                self._items[slot.index] = slot.item
                return events

    def _abandon(self) -> list[KnownEvent]:
        """End the tools that are still at work."""
        events: list[KnownEvent] = []
        for slot in self._hosting.end_all():
            events += slot.abandoning()
            self._items[slot.index] = slot.item
        return events

    def _hand_over(self, item: OutputItem) -> list[KnownEvent]:
        events = self._close_writing("completed")
        item = self._identities.identified(item)
        index = self._next_index()
        self._items[index] = item
        return [*events, *whole_events(item, index)]

    def _append(self) -> list[KnownEvent]:
        return self._hand_over(self._appendix(self._output())) if self._appendix else []

    def _close_all(self, status: Status) -> list[KnownEvent]:
        events = self._close_writing(status)
        for slot in self._calls.end():
            events += self._close(slot, status)
        return events

    def _close_writing(self, status: Status) -> list[KnownEvent]:
        slot, self._writing = self._writing, None
        return self._close(slot, status) if slot else []

    def _close(self, slot: MessageSlot | ReasoningSlot | Slot, status: Status) -> list[KnownEvent]:
        events = slot.closing(status)
        self._items[slot.index] = slot.item(status)
        return events

    def _next_index(self) -> int:
        self._indexes += 1
        return self._indexes - 1
