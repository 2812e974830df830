"""Whatever is asked, the types of Google's own SDK know what is sent, and it keeps its rules."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.errors import InvalidRequestError
from gateway.testing.preparing import Prepared
from gateway.testing.probes import SAYINGS, SETTINGS
from gateway_gemini import InteractionsDialect

RECORDINGS = Path(__file__).parents[3] / "../shared/corpus/cases"
MODELS = (
    "gemini-3.5-flash",
    "gemini-3-pro-preview",
    "gemini-2.5-flash",
    "gemini-2.0-flash",
    "gemini-pro-latest",
)
ASKED_BY_THE_KIT = [*SAYINGS.values(), *(one for setting in SETTINGS for one in setting.requests)]
PIXELS = "data:image/png;base64,AAAA"

words = st.text(st.characters(codec="utf-8"), max_size=8)
names = st.sampled_from(["look", "tell.me", "x" * 70])
parts = st.one_of(
    st.builds(lambda text: {"type": "input_text", "text": text}, words),
    st.sampled_from(
        [
            {"type": "input_image", "image_url": PIXELS, "detail": "low"},
            {"type": "input_image", "image_url": "https://a.test/b.png?size=3"},
            {"type": "input_image", "image_url": "https://a.test/b"},
            {"type": "input_image", "file_id": "file_1"},
            {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"},
            {"type": "input_file", "file_data": "YSxi", "filename": "a.csv"},
            {"type": "input_file", "file_url": "gs://a/b.pdf"},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        ]
    ),
)
contents = st.one_of(words, st.lists(parts, max_size=3))
carriers = st.sampled_from(
    [
        {"next": "c2ln"},
        {"previous": "c2ln", "previous_length": 3},
        {"parts": [{"text": "", "thoughtSignature": "c2ln"}]},
        {
            "parts": [
                {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            ],
            "next": "c2ln",
        },
        {
            "parts": [
                {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {}}},
                {"toolResponse": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "response": {}}},
            ]
        },
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
    match draw(st.sampled_from(["message", "said", "thought", "hosted", "call", "computer"])):
        case "message":
            role = draw(st.sampled_from(["user", "system", "developer"]))
            return [{"role": role, "content": draw(contents if role == "user" else words)}]
        case "said":
            return [{"role": "assistant", "content": draw(words)}]
        case "thought":
            carrier = json.dumps(draw(carriers))
            return [{"type": "reasoning", "summary": [], "encrypted_content": carrier}]
        case "hosted":
            image = {"type": "image_generation_call", "id": "ig_1", "result": "AAAA"}
            return [image, {"type": "web_search_call", "id": "ws_1", "status": "completed"}]
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
                "properties": {"a": {"type": "string", "pattern": "^a", "const": "a"}},
            },
        },
        {"type": "custom", "name": "write"},
        {"type": "computer"},
        {
            "type": "computer_use_preview",
            "environment": "linux",
            "display_width": 800,
            "display_height": 600,
        },
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
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]},
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
        "top_logprobs": st.integers(0, 20),
        "include": st.just(["message.output_text.logprobs"]),
        "reasoning": st.fixed_dictionaries(
            {}, optional={"effort": efforts, "summary": st.just("auto")}
        ),
        "text": st.sampled_from([{"format": {"type": "json_object"}}, SAYINGS["a schema"]["text"]]),
        "service_tier": st.sampled_from(["auto", "default", "flex", "priority", "fast", "scale"]),
    },
)


def sent(prepared: Prepared) -> Any:
    """Return the body, or None for a request that nobody could take."""
    try:
        return msgspec.json.decode(prepared.encode().body)
    except InvalidRequestError:
        return None


def called(content: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    """Return the id and name of each call, or of each result, in `content`."""
    found = [part[kind] for part in content["parts"] if kind in part]
    return [(one["id"], one["name"]) for one in found]


def broken_rules(body: dict[str, Any]) -> list[str]:
    """Return which of Gemini's rules for turns and tools `body` breaks."""
    contents = body["contents"]
    broken = [] if contents[0]["role"] == "user" else ["the user speaks first"]
    for content, after in zip(contents, [*contents[1:], {"parts": []}], strict=True):
        if called(content, "functionCall") != called(after, "functionResponse"):
            broken.append("the results of all calls are the next content")
        if {"functionResponse"} < {kind for part in content["parts"] for kind in part}:
            broken.append("results stand on their own")
        if not content["parts"]:
            broken.append("a content has a part")
        if any(part == {"text": ""} for part in content["parts"]):
            broken.append("a text has a letter or a signature")
    declared = any("functionDeclarations" in tool for tool in body.get("tools", ()))
    if "functionCallingConfig" in body.get("toolConfig", {}) and not declared:
        broken.append("only who has functions can be told how to call them")
    return broken


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(request=requests, model=st.sampled_from(MODELS))
def test_any_request_is_one_that_google_knows(
    request: dict[str, Any],
    model: str,
    prepare: Callable[..., Prepared],
    validate: Callable[[Any], object],
) -> None:
    body = sent(prepare(request, model=model, on_unsupported="drop"))
    if body is not None:
        validate(body)
        assert broken_rules(body) == []


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(request=requests, model=st.sampled_from(MODELS))
def test_any_request_is_an_interaction_that_google_knows(
    request: dict[str, Any],
    model: str,
    prepare: Callable[..., Prepared],
    validate_interaction: Callable[[Any], object],
) -> None:
    dialect = InteractionsDialect()
    body = sent(prepare(request, model=model, dialect=dialect, on_unsupported="drop"))
    if body is not None:
        validate_interaction(body)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("request_", ASKED_BY_THE_KIT)
def test_what_the_kit_asks_is_an_interaction_that_google_knows(
    request_: dict[str, Any],
    model: str,
    prepare: Callable[..., Prepared],
    validate_interaction: Callable[[Any], object],
) -> None:
    dialect = InteractionsDialect()
    body = sent(prepare(request_, model=model, dialect=dialect, on_unsupported="drop"))
    assert body is not None
    validate_interaction(body)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("request_", ASKED_BY_THE_KIT)
def test_what_the_kit_asks_is_something_that_google_knows(
    request_: dict[str, Any],
    model: str,
    prepare: Callable[..., Prepared],
    validate: Callable[[Any], object],
) -> None:
    body = sent(prepare(request_, model=model, on_unsupported="drop"))
    assert body is not None
    validate(body)
    assert broken_rules(body) == []


def recorded_requests() -> list[Any]:
    found = sorted(RECORDINGS.glob("*/*/request.json"))
    metas = {path: json.loads((path.parent / "meta.json").read_text()) for path in found}
    asked = [path for path, meta in metas.items() if meta["api"] == "responses"]
    nothing = pytest.param(None, marks=pytest.mark.skip(reason="there are no recordings here"))
    return [pytest.param(path, id=path.parent.name) for path in asked] or [nothing]


@pytest.mark.parametrize("path", recorded_requests())
def test_what_others_have_asked_openai_is_something_that_google_knows(
    path: Path,
    prepare: Callable[..., Prepared],
    validate: Callable[[Any], object],
) -> None:
    body = sent(prepare(json.loads(path.read_text()), on_unsupported="drop"))
    if body is not None:
        validate(body)
        assert broken_rules(body) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"contents": [{"role": "user", "parts": [{"text": "a", "foo": 1}]}]},
        {"contents": [{"role": "user", "parts": "a"}]},
        {"tools": [{"functionDeclarations": [{"title": "look"}]}]},
        {"generationConfig": {"maxOutputTokens": "many"}},
        {"generationConfig": {"thinkingConfig": {"effort": "LOW"}}},
        {"toolChoice": "none"},
    ],
)
def test_the_judge_notices_what_is_wrong(
    wrong: dict[str, Any], validate: Callable[[Any], object]
) -> None:
    with pytest.raises(ValidationError):
        validate({"contents": [], **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": "Hello"},
        {"tools": [{"type": "googleSearch"}]},
        {"input": [{"type": "user_input", "content": [{"type": "text", "text": "a", "foo": 1}]}]},
        {"input": [{"type": "user_input", "content": [{"type": "picture", "data": "AAAA"}]}]},
        {"input": [{"type": "function_result", "name": "look", "result": "seen"}]},
        {"generation_config": {"max_tokens": 5}},
        {"generation_config": {"tool_choice": {"allowed": ["look"]}}},
    ],
)
def test_the_judge_of_interactions_notices_what_is_wrong(
    wrong: dict[str, Any], validate_interaction: Callable[[Any], object]
) -> None:
    with pytest.raises(ValidationError):
        validate_interaction({"model": "some-model", "input": "Hello", **wrong})
