"""Random requests of the Responses API, for tests with hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

__all__ = ["random_requests"]

Json = dict[str, Any]
Jsons = st.SearchStrategy[Json]
Turns = st.SearchStrategy[list[Json]]

_PIXELS = "data:image/png;base64,AAAA"
_SCREEN: Json = {"type": "computer_screenshot", "image_url": _PIXELS}
_ACTIONS: list[Json] = [
    {"type": "click", "button": "left", "x": 1, "y": 2},
    {"type": "double_click", "x": 1, "y": 2},
    {"type": "type", "text": "hello"},
    {"type": "keypress", "keys": ["CTRL", "S"]},
    {"type": "scroll", "x": 1, "y": 2, "scroll_x": 0, "scroll_y": 300},
    {"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]},
    {"type": "move", "x": 3, "y": 4},
    {"type": "screenshot"},
    {"type": "wait"},
]
_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "pattern": "^a", "maxLength": 3},
        "b": {"type": ["integer", "null"], "minimum": 1},
        "c": {"type": "array", "items": {"$ref": "#/$defs/d"}},
    },
    "required": ["a", "b", "c"],
    "additionalProperties": False,
    "$defs": {"d": {"anyOf": [{"const": "d"}, {"enum": ["e", "f"]}]}},
}
_ASK: Json = {"role": "user", "content": "What is there?"}


def _some(**members: st.SearchStrategy[Any]) -> Jsons:
    return st.fixed_dictionaries({}, optional=members)


def _with(first: Json, *others: Jsons) -> Jsons:
    """Draw objects that have the members of `first` and of one of each of the `others`."""
    return st.tuples(*others).map(
        lambda found: {k: v for o in (first, *found) for k, v in o.items()}
    )


_words = st.sampled_from(["", " ", "\n", "déjà 😀"]) | st.text(max_size=8)
_names = st.sampled_from(["look", "look_up", "a-b", "look.up", "a b", "3d", "x" * 64, "x" * 200])
_ids = st.sampled_from(["a", "call_0", "call.1", "with space", "x" * 80, "é"])
_marks = _some(prompt_cache_breakpoint=_some(ttl=st.sampled_from(["5m", "30m", "12h"])))
_images = st.sampled_from(
    [
        {"image_url": _PIXELS, "detail": "low"},
        {"image_url": "data:image/bmp;base64,aGk="},
        {"image_url": "data:image/png;base64,_-\nk"},
        {"image_url": "data:image/png;base64,A"},
        {"image_url": "https://a.test/b.png?size=3"},
        {"image_url": "https://a.test/b"},
        {"file_id": "file_1"},
    ]
)
_files = st.sampled_from(
    [
        {"file_data": "data:application/pdf;base64,AAAA"},
        {"file_data": "data:text/csv;base64,YSxi", "filename": "a.csv"},
        {"file_data": "YSxi", "filename": "b  c_d.docx"},
        {"file_data": "YSxi", "filename": "no-type"},
        {"file_data": "no base64!", "filename": "a.pdf"},
        {"file_data": "YSxi", "filename": f"{'n' * 300}ü.md"},
        {"file_url": "https://a.test/b.pdf"},
        {"file_url": "gs://a/b.pdf"},
        {"file_id": "file_1"},
    ]
)
_parts = st.one_of(
    _with({"type": "input_text"}, st.fixed_dictionaries({"text": _words}), _marks),
    _with({"type": "input_image"}, _images),
    _with({"type": "input_file"}, _files),
    st.just({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
)
_contents = _words | st.lists(_parts, max_size=3)
_calls = st.fixed_dictionaries(
    {
        "call_id": _ids,
        "name": _names,
        "arguments": st.sampled_from(["{}", "", '{"a": [1, 2.50]}', '{"b": null}']),
    }
)


def _called(calls: Sequence[tuple[Json, Any]]) -> list[Json]:
    """Return calls that were made at once, and then what came of each."""
    made: list[Json] = [{"type": "function_call", **call} for call, _ in calls]
    return made + [
        {"type": "function_call_output", "call_id": call["call_id"], "output": output}
        for call, output in calls
    ]


def _written(call_id: str, text: str) -> list[Json]:
    call = {"type": "custom_tool_call", "call_id": call_id, "name": "write", "input": text}
    return [call, {"type": "custom_tool_call_output", "call_id": call_id, "output": text}]


def _operated(call_id: str, actions: list[Json]) -> list[Json]:
    call = {"type": "computer_call", "call_id": call_id, "actions": actions}
    return [call, {"type": "computer_call_output", "call_id": call_id, "output": _SCREEN}]


def _approved(call: Json, said: Json | None, outcome: Json | None) -> list[Json]:
    """Return a call that had to be approved, what was `said` to that, and what came of it."""
    asked = {**call, "type": "mcp_approval_request", "id": f"mcpr_{call['id']}"}
    about = {"approval_request_id": asked["id"]}
    answered = [{"type": "mcp_approval_response", **about, **said}] if said else []
    made = [{"type": "mcp_call", **call, **about, **outcome}] if said and outcome else []
    return [asked, *answered, *made]


def _alone(item: Json) -> list[Json]:
    return [item]


_servers = st.fixed_dictionaries({"server_label": st.sampled_from(["wiki", "my server", "x" * 64])})
_asked = _with(
    {},
    _servers,
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["mcp_1", "mcp_2", "3"]),
            "name": _names,
            "arguments": st.sampled_from(["{}", "", '{"a": 1}', "no JSON"]),
        }
    ),
)
_outcomes: Jsons = st.sampled_from(
    [
        {"output": "found"},
        {"output": ""},
        {"output": None, "error": "broke"},
        {"output": "some", "error": {"type": "mcp_tool_execution_error", "content": []}},
        {"status": "incomplete"},
    ]
)
_listings = _with(
    {"type": "mcp_list_tools", "id": "mcpl_1"},
    _servers,
    st.fixed_dictionaries(
        {"tools": st.sampled_from([[], [{"name": "look.up", "input_schema": _SCHEMA}]])}
    ),
)
_decisions: Jsons = st.sampled_from([{"approve": True}, {"approve": False, "reason": "Not now."}])
_mcp = st.one_of(
    _listings.map(_alone),
    _with({"type": "mcp_call"}, _asked, _outcomes).map(_alone),
    st.builds(_approved, _asked, st.none() | _decisions, st.none() | _outcomes),
)
_said = st.one_of(
    _words,
    st.lists(_with({"type": "output_text"}, st.fixed_dictionaries({"text": _words})), max_size=2),
    st.just([{"type": "refusal", "refusal": "No."}]),
)
_hosted: list[Json] = [
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    {"type": "image_generation_call", "id": "ig_1", "result": "AAAA"},
]
_messages = st.one_of(
    _with({"role": "user"}, st.fixed_dictionaries({"content": _contents})),
    _with({"role": "system"}, st.fixed_dictionaries({"content": _words})),
    _with({"role": "developer"}, st.fixed_dictionaries({"content": _words})),
    _with({"role": "assistant"}, st.fixed_dictionaries({"content": _said})),
)
_beginnings = st.sampled_from([[_ASK], [_ASK], [_ASK], []])


def _turns(carriers: st.SearchStrategy[str]) -> Turns:
    """Draw items that belong together, such as calls and their outputs."""
    carried = st.fixed_dictionaries({"encrypted_content": st.none() | carriers})
    return st.one_of(
        _messages.map(_alone),
        _with({"type": "reasoning", "summary": []}, carried).map(_alone),
        st.sampled_from(_hosted).map(_alone),
        st.lists(st.tuples(_calls, _contents), min_size=1, max_size=3).map(_called),
        st.builds(_written, _ids, _words),
        _mcp,
        st.builds(_operated, _ids, st.lists(st.sampled_from(_ACTIONS), min_size=1, max_size=3)),
    )


_tools = st.one_of(
    _with(
        {"type": "function"},
        st.fixed_dictionaries({"name": _names}),
        _some(
            description=_words,
            strict=st.booleans(),
            parameters=st.sampled_from([None, {"type": "object"}, _SCHEMA]),
        ),
    ),
    st.sampled_from(
        [
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
    ),
)


def _choice(tool: Json) -> Json:
    return {name: tool[name] for name in ("type", "name") if name in tool}


def _name(tool: Json) -> str:
    return tool.get("name", tool["type"].removesuffix("_preview"))


def _offer(tools: list[Json]) -> Jsons:
    """Draw how to choose of `tools`."""
    chosen = [_choice(tool) for tool in tools]
    allowed = [{"type": "allowed_tools", "mode": "auto", "tools": [one]} for one in chosen]
    choices = ["auto", "none", *(["required", *chosen, *allowed] if tools else [])]
    return _with({"tools": tools}, _some(tool_choice=st.sampled_from(choices)))


_offers = _some() | st.lists(_tools, max_size=4, unique_by=_name).flatmap(_offer)
_formats = st.sampled_from(
    [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "name": "answer", "schema": _SCHEMA, "strict": True},
    ]
)
_efforts = st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"])
_settings = _some(
    instructions=_words,
    parallel_tool_calls=st.booleans(),
    max_tool_calls=st.integers(1, 5),
    max_output_tokens=st.integers(1, 40_000),
    temperature=st.floats(0, 2),
    top_p=st.floats(0, 1),
    top_logprobs=st.integers(0, 20),
    include=st.just(["message.output_text.logprobs"]),
    reasoning=_some(effort=_efforts, summary=st.just("auto")),
    text=_some(format=_formats, verbosity=st.sampled_from(["low", "medium", "high"])),
    service_tier=st.sampled_from(["auto", "default", "flex", "priority", "fast", "scale"]),
    prompt_cache_options=st.just({"mode": "implicit", "ttl": "30m"}),
    safety_identifier=_words,
)


def random_requests(carriers: st.SearchStrategy[str] | None = None) -> Jsons:
    """Draw requests, without the model: JSON as clients send it, valid, but not always sensible.

    They hold whatever a vendor may or may not know: most of them a question, and after it a
    conversation with everything in any order, but no call without its output. `carriers` draws
    what the translator of the dialect under test makes: what its vendor wants back with the next
    turn.
    """
    turns = st.lists(_turns(st.nothing() if carriers is None else carriers), max_size=6)
    inputs = st.tuples(_beginnings, turns).map(_joined)
    return _with({}, st.fixed_dictionaries({"input": inputs}), _offers, _settings)


def _joined(said: tuple[list[Json], list[list[Json]]]) -> list[Json]:
    beginning, turns = said
    return [*beginning, *(item for turn in turns for item in turn)]
