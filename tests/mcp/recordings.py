"""What OpenAI was recorded to do with MCP servers: the situation, and what it told.

From a recording follows what its server offered and answered, and what the model must have said, so
that the same can be put before the gateway.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from gateway.core.tool_loop.offering import function_name
from gateway.testing import Received, Script, event_stream, json_answer
from gateway.testing.invented import events, frame
from gateway.testing.upstream import Handler

__all__ = [
    "Json",
    "Situation",
    "chat_model",
    "mcp_server",
    "of_mcp",
    "responses_model",
    "situations",
    "told",
]

Json = dict[str, Any]

CASES = Path(__file__).parents[2] / "../shared/corpus/cases"
FEATURE = re.compile(r"(in_item|out|req_tool):mcp")
QUESTION: Json = {"role": "user", "content": "Please."}
NOT_CALLED = ("mcp_list_tools", "reasoning", "message")
EMPTY: Json = {"type": "object", "properties": {}}


class Situation(Struct, frozen=True, kw_only=True):
    """A recorded response; `events` only if it was streamed, `request` only if it was kept."""

    name: str
    response: Json
    events: Sequence[Json]
    request: Json | None

    @property
    def output(self) -> list[Json]:
        return self.response["output"]

    @property
    def tools(self) -> list[Json]:
        """The tools of the request, as the response repeats them."""
        return [tool for tool in self.response["tools"] if tool["type"] == "mcp"]

    @property
    def context(self) -> list[Json]:
        """The input that is known."""
        return self.request["input"] if self.request else [QUESTION]

    @property
    def answered(self) -> Json | None:
        """The call that the user was asked for and has agreed to, or not.

        Where nothing was recorded of what came before, a model that may not call without asking,
        and neither calls nor asks, has been denied something.
        """
        for item in self.output:
            if item["type"] == "mcp_call" and item["approval_request_id"]:
                return item
        quiet = all(item["type"] in NOT_CALLED for item in self.output)
        if self.request is None and quiet and self.tools[0]["require_approval"] == "always":
            label = self.tools[0]["server_label"]
            name = next(iter(self.offered(label)))["name"]
            return {"name": name, "arguments": "{}", "server_label": label, "denied": True}
        return None

    @property
    def turns(self) -> list[list[Json]]:
        """What the model said, answer by answer: calls that are made end one."""
        turns: list[list[Json]] = [[]]
        for item in self.output:
            if item["type"] == "mcp_list_tools" or item.get("approval_request_id"):
                continue
            if turns[-1] and turns[-1][-1]["type"] == "mcp_call" != item["type"]:
                turns.append([])
            turns[-1].append(item)
        return turns

    def offered(self, label: str) -> list[Json]:
        """Return what the server listed, or where that is not known, all that was allowed of it."""
        for item in (*self.output, *self.context):
            listing = item.get("type") == "mcp_list_tools" and item["server_label"] == label
            if listing and item["tools"]:
                return item["tools"]
        (tool,) = (tool for tool in self.tools if tool["server_label"] == label)
        return [{"name": name, "input_schema": EMPTY} for name in tool["allowed_tools"] or ()]

    def pieces(self, text: str) -> list[str]:
        """Return `text` in the pieces in which it streamed."""
        deltas = [one["delta"] for one in self.events if one["type"].endswith("output_text.delta")]
        return deltas if "".join(deltas) == text else [text]


def situations() -> list[Any]:
    """Return every recording of the corpus that has to do with MCP, as parameters of a test."""
    metas = sorted(CASES.glob("*/*/meta.json"))
    if not metas:
        return [pytest.param(None, marks=pytest.mark.skip("the corpus of recordings is not here"))]
    found = ((path.parent, json.loads(path.read_text())) for path in metas)
    return [
        pytest.param(_read(path, meta), id=path.name)
        for path, meta in found
        if meta["api"] == "responses" and any(map(FEATURE.match, meta["features"]))
    ]


def _read(path: Path, meta: Json) -> Situation:
    body, request = (path / "response.body").read_text(), path / "request.json"
    lines = body.splitlines() if meta["stream"] else ()
    recorded = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    return Situation(
        name=path.name,
        response=recorded[-1]["response"] if recorded else json.loads(body),
        events=recorded,
        request=json.loads(request.read_text()) if request.exists() else None,
    )


def chat_model(situation: Situation, turns: Iterable[Sequence[Json]]) -> Handler:
    """Return a model that says `turns` in chunks of chat completions, without its thoughts."""
    answers = deque(_completion(situation, turn) for turn in turns)
    return lambda _: answers.popleft()


def _completion(situation: Situation, turn: Sequence[Json]) -> Script:
    deltas: list[Json] = []
    for index, item in enumerate(turn):
        match item["type"]:
            case "message":
                text = item["content"][0]["text"]
                deltas += [{"content": piece} for piece in situation.pieces(text)]
            case "mcp_call" | "mcp_approval_request":
                call = {"index": index, "id": f"call_{index}", "type": "function"}
                deltas.append({"tool_calls": [{**call, "function": _function(item)}]})
            case _:
                pass
    reason = "stop" if turn[-1]["type"] == "message" else "tool_calls"
    chunks: list[Json] = [{"delta": delta} for delta in deltas]
    chunks.append({"delta": {}, "finish_reason": reason})
    written = (json.dumps({"choices": [{"index": 0, **chunk}]}) for chunk in chunks)
    return event_stream(*(f"data: {one}\n\n".encode() for one in written), b"data: [DONE]\n\n")


def responses_model(situation: Situation, turns: Iterable[Sequence[Json]]) -> Handler:
    """Return a model that says `turns` in events of the Responses API."""
    answers = deque(_response(situation, turn) for turn in turns)
    return lambda _: answers.popleft()


def _response(situation: Situation, turn: Sequence[Json]) -> Script:
    output: list[Json] = []
    pieces = [""]
    for index, item in enumerate(turn):
        if item["type"] == "message":
            pieces = situation.pieces(item["content"][0]["text"])
        if item["type"] == "reasoning":  # with what the gateway asks for in place of a client
            output.append({"encrypted_content": "invented", **item})
        elif item["type"] in ("mcp_call", "mcp_approval_request"):
            call = {"type": "function_call", "id": f"fc_{index}", "call_id": f"call_{index}"}
            output.append({**call, "status": "completed", **_function(item)})
        else:
            output.append(item)
    response = {**situation.response, "tools": [], "output": output}
    told = enumerate(events(response, tuple(pieces)))
    return event_stream(*(frame({**event, "sequence_number": number}) for number, event in told))


def _function(item: Mapping[str, Any]) -> Json:
    name = function_name(item["server_label"], item["name"])
    return {"name": name, "arguments": item["arguments"]}


def mcp_server(situation: Situation, label: str) -> Handler:
    """Return the server `label`, which lists and answers what it was recorded to."""
    tools = [
        {
            "name": tool["name"],
            "description": tool.get("description") or "",
            "inputSchema": tool["input_schema"],
            "annotations": {"readOnlyHint": (tool.get("annotations") or {}).get("read_only")},
        }
        for tool in situation.offered(label)
    ]
    calls = {
        (item["name"], _compact(item["arguments"])): item
        for item in situation.output
        if item["type"] == "mcp_call" and item["server_label"] == label
    }

    def result(method: str, params: Json) -> Json:
        match method:
            case "initialize":
                return {
                    "protocolVersion": params["protocolVersion"],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": label, "version": "1"},
                }
            case "tools/list":
                return {"tools": tools}
            case _:
                call = calls[params["name"], _compact(json.dumps(params["arguments"]))]
                if call["error"]:
                    return {"content": call["error"]["content"], "isError": True}
                return {"content": [{"type": "text", "text": call["output"]}]}

    def answer(received: Received) -> Script:
        if received.method != "POST":
            return Script(status=405)
        asked = received.json()
        if "id" not in asked:
            return Script(status=202)
        about = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] not in ("initialize", "tools/list", "tools/call"):
            return json_answer({**about, "error": {"code": -32601, "message": "no such method"}})
        return json_answer({**about, "result": result(asked["method"], asked.get("params", {}))})

    return answer


def _compact(arguments: str) -> str:
    return json.dumps(json.loads(arguments or "{}"), sort_keys=True)


def told(stream: Iterable[Json], *, thoughts: bool) -> list[Any]:
    """Return what a stream tells, so that it can be compared: all of what is about MCP, and the
    types of all else. A run of deltas counts as one; without `thoughts`, nobody has any.
    """
    items = [one for one in stream if thoughts or _kind(one) != "reasoning"]
    names: dict[str, str] = {}
    places: dict[int, int] = {}
    seen: list[Any] = []
    for kind, run in itertools.groupby(items, key=lambda one: one["type"]):
        for event in [_joined(run)] if kind.endswith(".delta") else run:
            place = event.get("output_index")
            if place is not None:
                event = {**event, "output_index": places.setdefault(place, len(places))}
            about_mcp = "mcp" in kind or _kind(event).startswith("mcp")
            left_out = ("sequence_number", "obfuscation")
            kept = {name: value for name, value in event.items() if name not in left_out}
            seen.append(_renamed(kept, names) if about_mcp else kind)
    return seen


def _kind(event: Mapping[str, Any]) -> str:
    return event.get("item", {}).get("type", "")


def _joined(run: Iterator[Json]) -> Json:
    deltas = list(run)
    return {**deltas[0], "delta": "".join(one["delta"] for one in deltas)}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Return `value` with ids by the order in which they came."""
    if not isinstance(value, dict):
        return value
    return {
        member: names.setdefault(one, f"the {len(names)}th")
        if member in ("id", "item_id", "approval_request_id") and one is not None
        else _renamed(one, names)
        for member, one in value.items()
    }


def of_mcp(output: Iterable[Json]) -> list[Any]:
    """Return an output so that it can be compared: all of what is about MCP, and else the types."""
    names: dict[str, str] = {}
    return [
        _renamed(item, names) if item["type"].startswith("mcp") else item["type"] for item in output
    ]
