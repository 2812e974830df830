"""A Gemini behind the Interactions API: the same turns in steps, each begun by a signed thought."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from .gemini import CONFIRM, Gemini, visible
from .models import Json, ScriptedModel, Turn, without

UNSAID = ("intent", "safety_decision", "seconds", "press_enter")


def steps_of(turn: Turn) -> Iterator[Json]:
    """Yield in steps what a turn of generateContent says."""
    for part in visible(turn):
        if signature := part.get("thoughtSignature"):
            yield {"type": "thought", "signature": signature}
        if call := part.get("functionCall"):
            yield {"type": "function_call", "name": call["name"], "arguments": call["args"]}
        else:
            content = {"type": "text", "text": part["text"]}
            yield {"type": "model_output", "content": [content]}


class InteractingGemini(ScriptedModel):
    """Does what the other Gemini does, and asks before it sends the form, too."""

    name = Gemini.name
    path = "/v1beta/interactions"
    turns = tuple([*steps_of(turn)] for turn in Gemini.turns)
    warnings = (CONFIRM["explanation"],)

    def judge(self, body: Json) -> Iterable[str]:
        environments = [tool.get("environment") for tool in body["tools"]]
        if environments != ["browser"]:
            yield f"the tools are for {environments}"
        if body["store"] is not False:
            yield "the interaction is to be stored"
        first, *history = [
            [*steps] for _, steps in groupby(body["input"], key=lambda step: side(step["type"]))
        ]
        answers, results = history[::2], history[1::2]
        if [step["type"] for step in first] != ["user_input"] or len(answers) != len(results):
            yield f"the steps are {[step['type'] for step in body['input']]}"
            return
        yield from self.told_again(answers)
        for told, answer, result in zip(self.turns, answers, results, strict=False):
            yield from self._answered(told, answer, result)
        if results:
            yield from self.shown([image["data"] for image in images_of(results[-1])])

    def _answered(self, told: Turn, answer: Turn, results: Turn) -> Iterator[str]:
        calls = [(step["id"], step["name"]) for step in answer if "arguments" in step]
        replies = [(result["call_id"], result["name"]) for result in results]
        if calls != replies:
            yield f"the function calls {calls} have the results {replies}"
        asked = any("safety_decision" in step.get("arguments", ()) for step in told)
        if asked != ("safety_acknowledgement" in json.dumps(results)):
            yield f"a safety decision was asked for: {asked}, and the results say otherwise"

    def essence(self, turn: Turn) -> Turn:
        return [kept(step) for step in turn]

    def refusal(self, message: str) -> Json:
        return {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}

    def tell(self, turn: Turn) -> Iterator[Json]:
        identity = {"id": f"interaction_{len(self.asked)}", "model": self.name}
        begun = {**identity, "status": "in_progress"}
        yield {"event_type": "interaction.created", "interaction": begun}
        for index, step in enumerate(turn):
            start, delta = pieces(step)
            if start["type"] == "function_call":
                start["id"] = f"fc_{len(self.asked)}_{index}"
            yield {"event_type": "step.start", "index": index, "step": start}
            yield {"event_type": "step.delta", "index": index, "delta": delta}
            yield {"event_type": "step.stop", "index": index}
        is_calling = any(step["type"] == "function_call" for step in turn)
        usage = {"total_input_tokens": 900, "total_output_tokens": 40, "total_tokens": 940}
        ended = {"status": "requires_action" if is_calling else "completed", "usage": usage}
        yield {"event_type": "interaction.completed", "interaction": {**identity, **ended}}

    def frame(self, event: Json) -> bytes:
        return f"event: {event['event_type']}\n".encode() + super().frame(event)


def side(kind: str) -> str:
    """Say who takes a step of this `kind`."""
    return kind if kind in ("user_input", "function_result") else "model"


def pieces(step: Json) -> tuple[Json, Any]:
    """Return how a stream begins to tell `step`, and the rest."""
    match step["type"]:
        case "thought":
            rest = {"type": "thought_signature", "signature": step["signature"]}
            return {"type": "thought"}, rest
        case "function_call":
            rest = {"type": "arguments_delta", "arguments": json.dumps(step["arguments"])}
            return {**step, "arguments": {}}, rest
        case _:
            return {"type": "model_output", "content": []}, step["content"][0]


def kept(step: Json) -> Json:
    """Return what has to come back of `step`: of a call what the actions of a computer can say."""
    if step["type"] != "function_call":
        return step
    said = without(step["arguments"], *UNSAID)
    if "keys" in said:
        said["keys"] = [key.upper() for key in said["keys"]]
    return {**without(step, "id"), "arguments": said}


def images_of(results: Turn) -> Turn:
    contents = (result["result"] for result in results)
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return [part for part in parts if part["type"] == "image" and part["mime_type"] == "image/png"]
