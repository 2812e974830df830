"""Whatever is asked, the types of Anthropic's own SDK know what is sent."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import InvalidRequestError
from gateway.testing.preparing import Prepared
from gateway.testing.probes import SAYINGS, SETTINGS

RECORDINGS = Path(__file__).parents[3] / "../shared/corpus/cases"
MODELS = (
    "claude-opus-5-5",
    "claude-opus-4-6",
    "claude-haiku-4-5-20251001",
    "claude-3-haiku-20240307",
)
PIXELS = "data:image/png;base64,AAAA"

words = st.text(st.characters(codec="utf-8"), max_size=8)
names = st.sampled_from(["look", "a tool", "tell.me", "x" * 70])
marks = st.sampled_from([{}, {"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}])
parts = st.one_of(
    st.builds(lambda text, mark: {"type": "input_text", "text": text, **mark}, words, marks),
    st.sampled_from(
        [
            {"type": "input_image", "image_url": PIXELS, "detail": "low"},
            {"type": "input_image", "image_url": "https://a.test/b.png"},
            {"type": "input_image", "file_id": "file_1"},
            {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"},
            {"type": "input_file", "file_data": "data:text/csv;base64,YSxi", "filename": "a.csv"},
            {"type": "input_file", "file_url": "https://a.test/b.pdf"},
        ]
    ),
)
contents = st.one_of(words, st.lists(parts, max_size=3))
blocks = st.sampled_from(
    [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
    ]
)
ACTIONS = [
    {"type": "click", "button": "left", "x": 1, "y": 2},
    {"type": "type", "text": "hello"},
    {"type": "keypress", "keys": ["CTRL", "S"]},
    {"type": "scroll", "x": 1, "y": 2, "scroll_x": 0, "scroll_y": 300},
    {"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]},
    {"type": "screenshot"},
    {"type": "wait"},
]


@st.composite
def turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw some items that belong together."""
    number = draw(st.integers(0, 10**6))
    match draw(st.sampled_from(["message", "said", "thought", "call", "computer"])):
        case "message":
            role = draw(st.sampled_from(["user", "system", "developer"]))
            return [{"role": role, "content": draw(contents if role == "user" else words)}]
        case "said":
            return [{"role": "assistant", "content": draw(words)}]
        case "thought":
            carrier = json.dumps(draw(st.lists(blocks, max_size=2)))
            return [{"type": "reasoning", "summary": [], "encrypted_content": carrier}]
        case "call":
            call = {"call_id": f"call.{number}", "name": draw(names), "arguments": '{"a": [1]}'}
            output = {"call_id": f"call.{number}", "output": draw(contents)}
            return [
                {"type": "function_call", **call},
                {"type": "function_call_output", **output},
            ]
        case _:
            actions = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3))
            screen = {"type": "computer_screenshot", "image_url": PIXELS}
            return [
                {"type": "computer_call", "call_id": f"c{number}", "actions": actions},
                {"type": "computer_call_output", "call_id": f"c{number}", "output": screen},
            ]


tools = st.sampled_from(
    [
        {"type": "function", "name": "look", "description": "Look.", "parameters": None},
        {
            "type": "function",
            "name": "tell.me",
            "strict": True,
            "parameters": {
                "type": "object",
                "properties": {"a": {"type": "string", "pattern": "^a", "maxLength": 3}},
            },
        },
        {"type": "custom", "name": "write"},
        {"type": "computer"},
        {"type": "web_search", "user_location": {"type": "approximate", "city": "Oslo"}},
        {"type": "web_search_preview", "search_context_size": "low"},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "code_interpreter", "container": "container_1"},
    ]
)
choices = st.sampled_from(
    [
        "auto",
        "none",
        "required",
        {"type": "function", "name": "look"},
        {"type": "web_search"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "look"}]},
    ]
)
efforts = st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"])
requests = st.fixed_dictionaries(
    {"input": st.lists(turns(), max_size=6).map(lambda found: [i for turn in found for i in turn])},
    optional={
        "instructions": words,
        "tools": st.lists(tools, max_size=4),
        "tool_choice": choices,
        "parallel_tool_calls": st.booleans(),
        "max_tool_calls": st.integers(1, 5),
        "max_output_tokens": st.integers(1, 40_000),
        "temperature": st.sampled_from([0.0, 0.5, 1.0, 1.5]),
        "top_p": st.sampled_from([0.5, 1.0]),
        "reasoning": st.fixed_dictionaries(
            {}, optional={"effort": efforts, "summary": st.just("auto")}
        ),
        "text": st.sampled_from([{"format": {"type": "json_object"}}, SAYINGS["a schema"]["text"]]),
        "service_tier": st.sampled_from(["auto", "default", "flex", "priority", "fast"]),
        "prompt_cache_options": st.sampled_from([{"mode": "implicit", "ttl": "30m"}]),
        "safety_identifier": words,
    },
)


def sent(prepared: Prepared) -> Any:
    """Return the body, or None for a request that nobody could take."""
    try:
        request = prepared.encode()
    except InvalidRequestError:
        return None
    body = msgspec.json.decode(request.body)
    samplers = [body.pop(name, None) for name in ("temperature", "top_p")]
    older = request.headers["anthropic-version"] == "2023-06-01"
    assert older == any(value is not None for value in samplers)  # the newer has no such members
    return body


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(request=requests, model=st.sampled_from(MODELS))
def test_any_request_is_one_that_the_vendor_knows(
    request: dict[str, Any],
    model: str,
    prepare: Callable[..., Prepared],
    complaints: Callable[[Any], list[str]],
) -> None:
    body = sent(prepare(request, model=model, on_unsupported="drop"))
    if body is not None:
        assert complaints(body) == []
        roles = [message["role"] for message in body["messages"]]
        assert all(one != other for one, other in pairwise(roles))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "request_",
    [*SAYINGS.values(), *(one for setting in SETTINGS for one in setting.requests)],
)
def test_what_the_kit_asks_is_something_that_the_vendor_knows(
    request_: dict[str, Any],
    model: str,
    prepare: Callable[..., Prepared],
    complaints: Callable[[Any], list[str]],
) -> None:
    body = sent(prepare(request_, model=model, on_unsupported="drop"))
    assert body is None or complaints(body) == []


def recorded_requests() -> list[Any]:
    found = sorted(RECORDINGS.glob("*/*/request.json"))
    metas = {path: json.loads((path.parent / "meta.json").read_text()) for path in found}
    asked = [path for path, meta in metas.items() if meta["api"] == "responses"]
    nothing = pytest.param(None, marks=pytest.mark.skip(reason="there are no recordings here"))
    return [pytest.param(path, id=path.parent.name) for path in asked] or [nothing]


@pytest.mark.parametrize("path", recorded_requests())
def test_what_others_have_asked_openai_is_something_that_the_vendor_knows(
    path: Path,
    prepare: Callable[..., Prepared],
    complaints: Callable[[Any], list[str]],
) -> None:
    request = json.loads(path.read_text())
    for item in request.get("input", ()):
        if isinstance(item, dict) and item.get("type") == "reasoning":
            item.pop("encrypted_content", None)  # as the core does: it is another model's
    body = sent(prepare(request, on_unsupported="drop"))
    if body is not None:
        assert complaints(body) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "foo": 1}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        {"tools": [{"type": "web_search_20250305", "name": "search"}]},
        {"max_tokens": "many"},
        {"thinking": {"type": "often"}},
    ],
)
def test_the_judge_notices_what_is_wrong(
    wrong: dict[str, Any], complaints: Callable[[Any], list[str]]
) -> None:
    body = {"model": "m", "max_tokens": 1, "stream": True, "messages": [], **wrong}
    assert complaints(body)
