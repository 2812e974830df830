"""An imitation of OpenAI's Responses API: it keeps responses, and remembers what reached it.

    with ImitatedOpenAI() as openai:
        ...                                # call openai.url, with or without an event loop
        openai.requests[-1].json()

It lives in a thread of its own. All that it says is invented.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from typing import Any, Self, TypeVar

from msgspec.structs import replace

from gateway.testing.connection import Received
from gateway.testing.invented import (
    computer_call,
    events,
    frame,
    mcp_approval_request,
    mcp_call,
    message,
)
from gateway.testing.script import Fault, Script, Step, event_stream, json_answer
from gateway.testing.upstream import ScriptedUpstream

__all__ = ["ImitatedOpenAI"]

T = TypeVar("T")

_PATH = "/v1/responses"
_PATIENCE = 10.0


class ImitatedOpenAI:
    """Serves create, stream, retrieve, delete, cancel, input_items, compact and input_tokens.

    `name` goes into the ids that it makes. The model says `story`, calls a computer if it has one,
    and asks for approval before it calls an MCP tool, which it does only if that is given. With a
    `fault` streams have it after their first word, and other answers before they begin. While it is
    `limited`, it asks clients to come back in a few seconds.
    """

    story = ("Luna the unicorn ", "could not sleep, ", "so she counted stars.")

    def __init__(self, name: str = "a") -> None:
        self.responses: dict[str, dict[str, Any]] = {}
        self.fault: Fault | None = None
        self.limited = False
        self._name = name
        self._numbers = itertools.count()
        self._inputs: dict[str, Any] = {}
        self._upstream = ScriptedUpstream()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as resources:
            resources.callback(self._loop.close)
            self._thread.start()
            resources.callback(self._thread.join)
            resources.callback(self._loop.call_soon_threadsafe, self._loop.stop)
            self._wait(self._upstream.__aenter__())
            resources.callback(lambda: self._wait(self._upstream.__aexit__()))
            self._resources = resources.pop_all()
        self._upstream.handle(_PATH, self._create)
        self._upstream.handle(f"{_PATH}/compact", self._compact)
        self._upstream.handle(f"{_PATH}/input_tokens", self._count)
        return self

    def __exit__(self, *exception: object) -> None:
        self._resources.close()

    @property
    def url(self) -> str:
        """The base URL, with its `/v1`."""
        return f"{self._upstream.url}/v1"

    @property
    def requests(self) -> list[Received]:
        """What reached it, in order."""
        return self._upstream.requests

    def wait_for_departure(self) -> Received:
        """Wait until a client leaves before its answer is complete; return what it had asked."""
        return self._wait(self._upstream.disconnected())

    def wait_for_arrival(self) -> Received:
        """Wait for the next request that has not been waited for."""
        return self._wait(self._upstream.received())

    def _wait(self, call: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(_PATIENCE)

    def _create(self, received: Received) -> Script:
        if self.limited:
            return replace(_refusal(429, "Rate limit reached"), headers={"retry-after": "5"})
        body = received.json()
        previous = body.get("previous_response_id")
        if previous is not None and previous not in self.responses:
            return _refusal(
                400,
                f"Previous response with id '{previous}' not found.",
                code="previous_response_not_found",
                param="previous_response_id",
            )
        response = self._respond(body)
        if body.get("stream"):
            return self._stream(response)
        return self._answer(response)

    def _respond(self, body: Mapping[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        identifier = f"resp_{self._name}{number}"
        response = {
            "id": identifier,
            "object": "response",
            "created_at": 1_760_000_000 + number,
            "status": "queued" if body.get("background") else "completed",
            "model": f"{body['model']}-2025-03-19",
            "output": [] if body.get("background") else self._output(body, number),
            "parallel_tool_calls": True,
            "previous_response_id": body.get("previous_response_id"),
            "tool_choice": "auto",
            "tools": body.get("tools", []),
            "usage": {
                "input_tokens": 9,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": 12,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 21,
            },
            "invented": True,
        }
        self.responses[identifier] = response
        self._inputs[identifier] = body.get("input")
        for path in (identifier, f"{identifier}/cancel", f"{identifier}/input_items"):
            self._upstream.handle(f"{_PATH}/{path}", self._stored)
        return response

    def _output(self, body: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
        told = message(f"msg_{self._name}{number}", "".join(self.story))
        given: list[Any] = body["input"] if isinstance(body.get("input"), list) else []
        answers = [item for item in given if item.get("type") == "mcp_approval_response"]
        match body.get("tools", ()):
            case [{"type": "mcp"} as tool]:
                asked = mcp_approval_request(f"mcpr_{self._name}{number}", tool)
                if not answers:
                    return [asked]
                asked["id"] = answers[0]["approval_request_id"]
                call = mcp_call(f"mcp_{self._name}{number}", asked)
                return [call, told] if answers[0]["approve"] else [told]
            case [{"type": "computer_use_preview"}]:
                return [computer_call(f"cu_{self._name}{number}")]
            case _:
                return [told]

    def _stored(self, received: Received) -> Script:
        identifier, _, detail = received.path.removeprefix(f"{_PATH}/").partition("/")
        response = self.responses.get(identifier)
        if response is None:
            return _refusal(404, f"Response with id '{identifier}' not found.")
        if received.method == "DELETE":
            del self.responses[identifier]
            return self._answer({"id": identifier, "object": "response.deleted", "deleted": True})
        if detail == "cancel":
            response["status"] = "cancelled"
        if detail == "input_items":
            return self._answer(self._page(identifier))
        if "stream=true" in received.query:
            return self._stream(response)
        return self._answer(response)

    def _page(self, identifier: str) -> dict[str, Any]:
        item = {
            "id": f"msg_in_{identifier}",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_text", "text": str(self._inputs[identifier])}],
        }
        return {
            "object": "list",
            "data": [item],
            "first_id": item["id"],
            "last_id": item["id"],
            "has_more": False,
        }

    def _compact(self, _: Received) -> Script:
        item = {"id": "cmp_invented", "type": "compaction", "encrypted_content": "invented"}
        return self._answer(
            {
                "id": "resp_compacted",
                "object": "response.compaction",
                "created_at": 1_760_000_000,
                "output": [item],
            }
        )

    def _count(self, _: Received) -> Script:
        return self._answer({"object": "response.input_tokens", "input_tokens": 9})

    def _answer(self, value: Mapping[str, Any]) -> Script:
        answer = json_answer(value)
        return answer if self.fault is None else replace(answer, before=(self.fault,))

    def _stream(self, response: Mapping[str, Any]) -> Script:
        frames: list[Step] = [
            frame({**event, "sequence_number": number})
            for number, event in enumerate(events(response, self.story))
        ]
        if self.fault is not None:
            frames[5:] = [self.fault]
        return event_stream(*frames)


def _refusal(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> Script:
    kind = "invalid_request_error"
    error = {"message": message, "type": kind, "param": param, "code": code}
    return json_answer({"error": error}, status=status)
