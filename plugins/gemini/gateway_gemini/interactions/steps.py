"""A conversation in generateContent's contents, written as the steps of interactions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gateway_gemini.signatures import UNCHECKED

__all__ = ["write_steps"]

Json = dict[str, Any]

_MEDIA = ("image", "audio", "video")


def write_steps(contents: Iterable[Json], *, signed: bool) -> list[Json]:
    """Return the steps of `contents`.

    If they are to be `signed`, a turn with calls whose thoughts got lost begins with a thought
    that Google does not check, because it refuses a call that nobody has thought of.
    """
    steps: list[Json] = []
    for content in contents:
        turn: list[Json] = []
        for part in content["parts"]:
            _add(turn, part, "model_output" if content["role"] == "model" else "user_input")
        if signed and _lacks_thought(turn):
            turn.insert(0, {"type": "thought", "signature": UNCHECKED})
        steps += turn
    return steps


def _add(turn: list[Json], part: Json, saying: str) -> None:
    match part:
        case {"type": str()}:  # a reasoning item brought it back as it was
            turn.append(part)
        case {"functionCall": call}:
            said = {"id": call["id"], "name": call["name"], "arguments": call["args"]}
            turn.append({"type": "function_call", **said})
        case {"functionResponse": given}:
            told = {"call_id": given["id"], "name": given["name"], "result": _result(given)}
            turn.append({"type": "function_result", **told})
        case {"text": str(text)} if not text:
            pass
        case {"text": _} | {"inlineData": _} | {"fileData": _}:
            if not turn or turn[-1]["type"] != saying:
                turn.append({"type": saying, "content": []})
            turn[-1]["content"].append(_content(part))
        case _:
            pass


def _content(part: Json) -> Json:
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    data, file = part.get("inlineData", {}), part.get("fileData", {})
    kind: str = data.get("mimeType") or file.get("mimeType") or ""
    family = kind.partition("/")[0]
    where = {"data": data["data"]} if data else {"uri": file["fileUri"]}
    written = {"type": family if family in _MEDIA else "document", **where}
    return {**written, "mime_type": kind} if kind else written


def _result(given: Json) -> str | list[Json]:
    """Return what a function gave: its text, which every model takes, or contents with files."""
    response: Json = given["response"]
    is_text = response.keys() == {"output"} and isinstance(response["output"], str)
    text = response["output"] if is_text else msgspec.json.encode(response).decode()
    if "parts" not in given:
        return text
    return [*map(_content, [{"text": text}] if text else []), *map(_content, given["parts"])]


def _lacks_thought(turn: list[Json]) -> bool:
    """Say whether a call stands in `turn` without a signed thought before it."""
    kinds = [step["type"] for step in turn if step["type"] != "thought" or step.get("signature")]
    return "function_call" in kinds and "thought" not in kinds[: kinds.index("function_call")]
