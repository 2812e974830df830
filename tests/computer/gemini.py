"""A Gemini: predefined functions, with places counted from 0 to 999."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .models import Json, ScriptedModel, Turn, without

UNSAID = ("intent", "safety_decision", "seconds", "press_enter", "clear_before_typing")
CONFIRM = {"decision": "require_confirmation", "explanation": "This sends the form."}


def call(function: str, signature: str = "", **arguments: Any) -> Json:
    """Return a part that calls `function`; the first of a turn carries a signature."""
    part = {"functionCall": {"name": function, "args": {**arguments, "intent": "to go on"}}}
    return {**part, "thoughtSignature": signature} if signature else part


class Gemini(ScriptedModel):
    """Asks before it sends the form."""

    name = "gemini-3.5-flash"
    path = f"/v1beta/models/{name}:streamGenerateContent"
    warnings = (CONFIRM["explanation"],)
    turns = (
        ({"text": "What is there?", "thought": True}, call("take_screenshot", "c2lnbmVkIDE=")),
        (
            call("click", "c2lnbmVkIDI=", x=250, y=165),
            call("hotkey", keys=["control", "a"]),
            call("type", text="Luna", press_enter=False),
        ),
        (
            call("double_click", "c2lnbmVkIDM=", x=750, y=165),
            call("drag_and_drop", start_x=150, start_y=500, end_x=700, end_y=500),
        ),
        (call("scroll", "c2lnbmVkIDQ=", x=500, y=500, direction="down", magnitude_in_pixels=800),),
        (call("click", "c2lnbmVkIDU=", x=500, y=665, safety_decision=CONFIRM),),
        (call("wait", "c2lnbmVkIDY=", seconds=1), call("take_screenshot")),
        ({"text": "Luna is on the list.", "thoughtSignature": "c2lnbmVkIDc="},),
    )

    def judge(self, body: Json) -> Iterable[str]:
        environments = [tool.get("computerUse", {}).get("environment") for tool in body["tools"]]
        if environments != ["ENVIRONMENT_BROWSER"]:
            yield f"the tools are for {environments}"
        first, *history = body["contents"]
        answers, results = history[::2], history[1::2]
        roles = [content["role"] for content in (first, *history)]
        if roles != ["user", *("model", "user") * len(results)]:
            yield f"the roles are {roles}"
            return
        yield from self.told_again([answer["parts"] for answer in answers])
        for told, answer, result in zip(self.turns, answers, results, strict=False):
            yield from self._answered(told, answer["parts"], result["parts"])
        if results:
            images = images_of(results[-1]["parts"])
            yield from self.shown([image["data"] for image in images])
            if any(image["mimeType"] != "image/png" for image in images):
                yield "a screenshot is no PNG"

    def _answered(self, told: Turn, answer: Turn, results: Turn) -> Iterator[str]:
        calls = [part["functionCall"] for part in answer if "functionCall" in part]
        replies = [part.get("functionResponse", {}) for part in results]
        named = [(function["name"], function.get("id")) for function in calls]
        replied = [(reply.get("name"), reply.get("id")) for reply in replies]
        if named != replied:
            yield f"the function calls {named} have the responses {replied}"
        asked = any("safety_decision" in part["functionCall"]["args"] for part in visible(told))
        agreed = any(reply["response"].get("safety_acknowledgement") for reply in replies)
        if asked != agreed:
            yield f"a safety decision was asked for: {asked}, and acknowledged: {agreed}"

    def essence(self, turn: Turn) -> Turn:
        return [kept(part) for part in visible(turn)]

    def refusal(self, message: str) -> Json:
        return {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}

    def tell(self, turn: Turn) -> Iterator[Json]:
        usage = {"promptTokenCount": 900, "candidatesTokenCount": 40, "totalTokenCount": 940}
        for part in turn:
            yield self._chunk({"content": {"role": "model", "parts": [part]}})
        yield {**self._chunk({"finishReason": "STOP"}), "usageMetadata": usage}

    def _chunk(self, candidate: Json) -> Json:
        identity = {"modelVersion": self.name, "responseId": f"r{len(self.asked)}"}
        return {"candidates": [{**candidate, "index": 0}], **identity}


class OlderGemini(Gemini):
    """Knows the functions of the first preview, which has no word for a double click.

    What one of them does may take several actions, and comes back as several calls.
    """

    name = "gemini-2.5-computer-use-preview-10-2025"
    path = f"/v1beta/models/{name}:streamGenerateContent"
    guest: Mapping[str, Any] = {"name": "Luna", "stars": 0, "knob": 560, "scrolled": 960}
    turns = (
        (call("open_web_browser", "c2lnbmVkIDE="),),
        (call("type_text_at", "c2lnbmVkIDI=", x=250, y=165, text="Luna", press_enter=False),),
        (
            call(
                "drag_and_drop",
                "c2lnbmVkIDM=",
                x=150,
                y=500,
                destination_x=700,
                destination_y=500,
            ),
            call("hover_at", x=500, y=500),
        ),
        (
            call("scroll_at", "c2lnbmVkIDQ=", x=500, y=500, direction="down", magnitude=800),
            call("scroll_at", x=500, y=500, direction="down", magnitude=800),
        ),
        (call("click_at", "c2lnbmVkIDU=", x=500, y=400, safety_decision=CONFIRM),),
        (call("wait_5_seconds", "c2lnbmVkIDY="),),
        ({"text": "Luna is on the list."},),
    )

    def essence(self, turn: Turn) -> Turn:
        parts = [kept(part) for part in visible(turn)]
        calls = [part["functionCall"]["args"] for part in parts if "functionCall" in part]
        places = {(call["x"], call["y"]) for call in calls if "x" in call}
        texts = [call["text"] for call in calls if "text" in call]
        return [{"signature": parts[0].get("thoughtSignature"), "at": places, "typed": texts}]


def visible(turn: Turn) -> Turn:
    """Return the parts that have to come back: thoughts that were shown need not."""
    return [part for part in turn if not part.get("thought")]


def kept(part: Json) -> Json:
    """Return what has to come back of `part`: of a call what the actions of a computer can say."""
    if "functionCall" not in part:
        return part
    function = part["functionCall"]
    said = without(function.get("args", {}), *UNSAID)
    if "keys" in said:
        said["keys"] = [key.upper() for key in said["keys"]]
    return {**part, "functionCall": {"name": function["name"], "args": said}}


def images_of(results: Turn) -> Sequence[Json]:
    replies = (result["functionResponse"] for result in results)
    return [part["inlineData"] for reply in replies for part in reply.get("parts", ())]
