"""AWS's own description of Converse accepts every request that we write."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.errors import InvalidRequestError
from gateway.testing.preparing import Prepared
from gateway.testing.probes import SAYINGS, SETTINGS

from .aws import complaints
from .conftest import DIALECT, call_of

MODELS = (
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-sonnet-5",
    "us.amazon.nova-2-lite-v1:0",
    "openai.gpt-oss-120b-1:0",
    "qwen.qwen3-32b-v1:0",
    "meta.llama3-8b-instruct-v1:0",
    "vendor.some-model",
)
CASES = sorted(Path(__file__).parent.glob("corpus/*/request.json"))
KNOWN: dict[str, dict[str, Any]] = {
    **SAYINGS,
    **{f"{one.path} {i}": dict(r) for one in SETTINGS for i, r in enumerate(one.requests)},
    **{path.parent.name: msgspec.json.decode(path.read_bytes()) for path in CASES},
}


def written(request: dict[str, Any], model: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the two bodies that are sent for `request` less what `model` cannot honour, or None if
    nothing can be sent.
    """
    call = call_of(request, model)
    relaxed = replace(call, deployment=replace(call.deployment, on_unsupported="drop"))
    prepared = Prepared(DIALECT, relaxed)
    try:
        call = prepared.call
        bodies = (DIALECT.encode(call).body, DIALECT.encode_count(call).body)
    except InvalidRequestError:
        return None
    return msgspec.json.decode(bodies[0]), msgspec.json.decode(bodies[1])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", KNOWN)
def test_requests_of_all_kinds_are_valid(name: str, model: str) -> None:
    if bodies := written(KNOWN[name], model):
        assert complaints(bodies[0]) == []
        assert complaints(bodies[1], "count-tokens") == []


def optional(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


ASK = {"role": "user", "content": "Ask."}
WORDS = st.text(max_size=12) | st.sampled_from(["", " ", "\n", "déjà 😀"])
IDS = st.sampled_from(["a", "b", "call_0", "with space", "x" * 80, "é"])
NAMES = st.sampled_from(["tell", "look_up", "a-b"])
DATA = st.sampled_from(["aGk=", "", "no base64!", "aGk"])
POINT = optional(prompt_cache_breakpoint=optional(ttl=st.sampled_from(["5m", "30m", "12h"])))
IMAGES = st.builds(
    lambda kind, data: {"type": "input_image", "image_url": f"data:image/{kind};base64,{data}"},
    st.sampled_from(["png", "jpg", "bmp"]),
    DATA,
)
FILES = st.builds(
    lambda name, data: {"type": "input_file", "filename": name, "file_data": data},
    st.sampled_from(
        ["a.pdf", "a.pdf", "b  c_d.docx", "ü.txt", "no-type", f"{'n' * 300}.md", ".md"]
    ),
    DATA,
)
TEXTS = st.builds(lambda text, point: {"type": "input_text", "text": text, **point}, WORDS, POINT)
PARTS = st.lists(TEXTS | IMAGES | FILES, max_size=3)
ARGUMENTS = st.sampled_from(["{}", "", '{"a": 1e400}', '{"a": [1, 2.50]}', "null"])
CALLS = st.lists(st.tuples(IDS, NAMES, ARGUMENTS, WORDS | PARTS), min_size=1, max_size=3)
TURNS = st.one_of(
    st.builds(lambda content: [{"role": "user", "content": content}], WORDS | PARTS),
    st.builds(
        lambda role, text: [{"role": role, "content": text}],
        st.sampled_from(["assistant", "system", "developer"]),
        WORDS,
    ),
    st.builds(
        lambda calls: [
            *(
                {"type": "function_call", "call_id": i, "name": n, "arguments": a}
                for i, n, a, _ in calls
            ),
            *({"type": "function_call_output", "call_id": i, "output": o} for i, _, _, o in calls),
        ],
        CALLS,
    ),
)
TOOLS = st.lists(
    st.fixed_dictionaries(
        {"type": st.just("function"), "name": NAMES},
        optional={"description": WORDS, "strict": st.booleans()},
    ),
    max_size=2,
    unique_by=lambda tool: tool["name"],
)
EFFORTS = st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"])
REQUESTS = st.builds(
    lambda turns, rest: {**rest, "input": [ASK, *(item for turn in turns for item in turn)]},
    st.lists(TURNS, min_size=1, max_size=5),
    optional(
        instructions=WORDS,
        tools=TOOLS,
        tool_choice=st.sampled_from(["auto", "required", "none"])
        | st.builds(lambda name: {"type": "function", "name": name}, NAMES),
        parallel_tool_calls=st.booleans(),
        max_output_tokens=st.integers(1, 5000),
        temperature=st.floats(0, 2),
        top_p=st.floats(0, 1),
        reasoning=optional(effort=EFFORTS, summary=st.just("auto")),
        service_tier=st.sampled_from(["auto", "default", "flex", "priority", "fast"]),
    ),
)


@given(REQUESTS, st.sampled_from(MODELS))
def test_whatever_is_asked_is_valid_or_refused(request: dict[str, Any], model: str) -> None:
    if bodies := written(request, model):
        assert complaints(bodies[0]) == []
        assert complaints(bodies[1], "count-tokens") == []
        speakers = [message["role"] for message in bodies[0]["messages"]]
        assert speakers == [("user", "assistant")[i % 2] for i in range(len(speakers))]
        called = [
            block for m in bodies[0]["messages"] for block in m["content"] if "toolUse" in block
        ]
        assert not called or "toolConfig" in bodies[0]
