"""What the tests of the vendors that are not OpenAI-shaped share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .reading_converse import read_converse
from .reading_gemini import read_gemini
from .reading_messages import read_messages

if TYPE_CHECKING:
    from .conftest import Recording
    from .telling import Telling

READINGS = {
    "messages": read_messages,
    "generate_content": read_gemini,
    "stream_generate_content": read_gemini,
    "converse": read_converse,
    "converse_stream": read_converse,
}
HOSTED = {
    "web_search_call": {"type": "web_search"},
    "code_interpreter_call": {"type": "code_interpreter", "container": {"type": "auto"}},
}
PAUSE = "stop:pause_turn"


def recorded(recording: Recording) -> Telling:
    return READINGS[recording.meta["api"]](recording.body, stream=recording.stream)


def ends(recording: Recording) -> bool:
    """Say whether the vendor answered, and did not want to be asked to go on."""
    return recording.good and PAUSE not in recording.meta["features"]


def functions(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return function tools that take anything."""
    parameters = {"type": "object", "properties": {}}
    return [
        {"type": "function", "name": name, "parameters": parameters, "strict": False}
        for name in dict.fromkeys(names)
    ]


def request_for(told: Telling) -> dict[str, Any]:
    """Return the request that what was `told` answers: with the tools that it uses."""
    kinds = dict.fromkeys(kind for kind, _ in told.hosted)
    hosted = [HOSTED[kind] for kind in kinds if kind in HOSTED]
    request: dict[str, Any] = {"tools": [*functions(call.name for call in told.calls), *hosted]}
    if told.reasoning:
        request["reasoning"] = {"effort": "low", "summary": "auto"}
    if told.logprobs:
        request |= {"top_logprobs": 2, "include": ["message.output_text.logprobs"]}
    return request
