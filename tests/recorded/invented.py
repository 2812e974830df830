"""Answers of Claude, of Gemini and on Bedrock that nobody recorded: any blocks, in any order.

They are invented by the documentation of the three APIs, and told as the vendors tell them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from .synthetic import (
    Json,
    bedrock_event,
    claude_beginning,
    claude_event,
    gemini_frame,
)

WORDS = st.text(st.sampled_from('aé漢🙂 "\\\n{}'), min_size=1, max_size=12)
SIGNATURES = st.text(st.sampled_from("abcXYZ019+/="), min_size=8, max_size=20)
URLS = st.sampled_from(["https://a.example/1", "https://b.example/ü?x=1#y"])
INPUTS: st.SearchStrategy[Json] = st.dictionaries(
    st.sampled_from(["city", "größe", "list"]),
    st.one_of(WORDS, st.integers(-5, 5), st.none(), st.lists(st.booleans(), max_size=2)),
    max_size=3,
)


def block(**members: Any) -> st.SearchStrategy[Json]:
    """Return blocks with these members; strategies among them are drawn from."""
    chosen = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value)
        for name, value in members.items()
    }
    return st.fixed_dictionaries(chosen)


# Claude

FOUND = block(
    type="web_search_result", url=URLS, title=WORDS, encrypted_content=SIGNATURES, page_age=None
)
CITED = block(
    type="web_search_result_location",
    url=URLS,
    title=WORDS,
    cited_text=WORDS,
    encrypted_index=SIGNATURES,
)
QUOTED = block(
    type="char_location",
    cited_text=WORDS,
    document_index=0,
    document_title=None,
    start_char_index=0,
    end_char_index=3,
)
CLAUDE_BLOCKS = st.one_of(
    block(type="text", text=WORDS),
    block(type="text", text=WORDS, citations=st.lists(st.one_of(CITED, QUOTED), max_size=2)),
    block(type="thinking", thinking=st.one_of(st.just(""), WORDS), signature=SIGNATURES),
    block(type="redacted_thinking", data=SIGNATURES),
    block(type="tool_use", id="#t", name="look_up", input=INPUTS),
    block(type="block_of_tomorrow", data=SIGNATURES, more=INPUTS),
)
RAN = block(
    type="bash_code_execution_result", stdout=WORDS, stderr="", return_code=0, content=st.just([])
)
BROKE = block(type="bash_code_execution_tool_result_error", error_code="unavailable")
TOO_MANY = block(type="web_search_tool_result_error", error_code="max_uses_exceeded")
CLAUDE_TOOLS = st.one_of(
    st.tuples(
        st.just("web_search"),
        block(query=WORDS),
        st.one_of(st.lists(FOUND, max_size=2), TOO_MANY),
    ),
    st.tuples(st.just("bash_code_execution"), block(command=WORDS), st.one_of(RAN, BROKE)),
    st.tuples(st.just("tool_of_tomorrow"), INPUTS, block(type="anything", data=SIGNATURES)),
)


def used(drawn: tuple[str, Json, Any]) -> list[Json]:
    """Return the use of a tool of Anthropic's, and its result."""
    name, given, found = drawn
    return [
        {"type": "server_tool_use", "id": f"#{name}", "name": name, "input": given},
        {"type": f"{name}_tool_result", "tool_use_id": f"#{name}", "content": found},
    ]


def joined(pieces: list[list[Json]]) -> list[Json]:
    """Return the blocks of all `pieces`, each of which is numbered as one."""
    told = json.dumps
    return [
        json.loads(told(one).replace('"#', f'"id_{number}_'))
        for number, piece in enumerate(pieces)
        for one in piece
    ]


CLAUDE_SAYS = st.lists(
    st.one_of(CLAUDE_BLOCKS.map(lambda one: [one]), CLAUDE_TOOLS.map(used)), min_size=1, max_size=6
).map(joined)


def claude_stream(blocks: list[Json], why: str) -> bytes:
    frames = claude_beginning()
    for index, one in enumerate(blocks):
        frames += [claude_event(index=index, **event) for event in claude_events(one)]
    delta = {"stop_reason": why, "stop_sequence": None}
    frames.append(claude_event("message_delta", delta=delta, usage={"output_tokens": 9}))
    return b"".join([*frames, claude_event("ping"), claude_event("message_stop")])


def claude_events(one: Json) -> Iterator[Json]:
    """Yield how a block is told: first without what follows in pieces."""
    later: Json = {"text": "", "thinking": "", "signature": "", "citations": []}
    if one["type"].endswith("tool_use"):
        later["input"] = {}
    empty = {name: later[name] for name in one if name in later}
    yield {"kind": "content_block_start", "content_block": {**one, **empty}}
    for delta in claude_deltas({name: one[name] for name in empty}):
        yield {"kind": "content_block_delta", "delta": delta}
    yield {"kind": "content_block_stop"}


def claude_deltas(later: Json) -> Iterator[Json]:
    for citation in later.get("citations") or ():
        yield {"type": "citations_delta", "citation": citation}
    said = json.dumps(later["input"]) if later.get("input") else ""
    for piece in ("", said[:3], said[3:]) if "input" in later else ():
        yield {"type": "input_json_delta", "partial_json": piece}
    for name in ("text", "thinking"):
        if said := later.get(name):
            yield {"type": f"{name}_delta", name: said[:2]}
            yield {"type": f"{name}_delta", name: said[2:]}
    if "signature" in later:
        yield {"type": "signature_delta", "signature": later["signature"]}


def claude_whole(blocks: list[Json], why: str) -> bytes:
    usage = {"input_tokens": 3, "output_tokens": 9}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
    answer = {**message, "content": blocks, "stop_reason": why, "usage": usage}
    return json.dumps(answer).encode()


# Gemini

SIGNED = st.one_of(st.just({}), block(thoughtSignature=SIGNATURES))
CALLED = block(functionCall=block(name="look_up", args=INPUTS))
DRAWN = block(inlineData=block(mimeType="image/png", data="aGVsbG8="))
RUN = block(
    executableCode=block(language="PYTHON", code=WORDS, id="#c"),
)
OUTCOME = block(codeExecutionResult=block(outcome="OUTCOME_OK", output=WORDS, id="#c"))
SEARCHED = block(toolCall=block(toolType="FILE_SEARCH", id="#s"))
SEARCH_RESULT = block(toolResponse=block(toolType="FILE_SEARCH", id="#s"))


def signed(parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.tuples(parts, SIGNED).map(lambda both: {**both[0], **both[1]})


GEMINI_SAYS = st.lists(
    st.one_of(
        block(text=WORDS, thought=True).map(lambda one: [one]),
        signed(block(text=WORDS)).map(lambda one: [one]),
        signed(DRAWN).map(lambda one: [one]),
        signed(CALLED).map(lambda one: [one]),
        block(text="", thoughtSignature=SIGNATURES).map(lambda one: [one]),
        st.tuples(signed(RUN), OUTCOME).map(list),
        st.tuples(signed(SEARCHED), signed(SEARCH_RESULT)).map(list),
    ),
    min_size=1,
    max_size=6,
).map(joined)
GEMINI_USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 4, "thoughtsTokenCount": 5}


def gemini_pieces(parts: list[Json], why: str) -> list[Json]:
    """Return the chunks of an answer: one for each part, and one with the end."""
    contents = [{"role": "model", "parts": [part]} for part in parts]
    candidates: list[Json] = [{"content": content, "index": 0} for content in contents]
    candidates.append({"finishReason": why, "index": 0})
    return [{"candidates": [one], "usageMetadata": GEMINI_USAGE} for one in candidates]


def gemini_stream(parts: list[Json], why: str) -> bytes:
    return b"".join(gemini_frame(piece) for piece in gemini_pieces(parts, why))


def gemini_whole(parts: list[Json], why: str) -> bytes:
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": why, "index": 0}
    return json.dumps({"candidates": [candidate], "usageMetadata": GEMINI_USAGE}).encode()


# Bedrock

REASONED = block(reasoningText=block(text=WORDS, signature=SIGNATURES))
LOCATED = block(documentChar=block(documentIndex=0, start=0, end=3))
ON_THE_WEB = block(web=block(url=URLS, domain="a.example"))
BEDROCK_BLOCKS = st.one_of(
    block(text=WORDS),
    block(
        text=WORDS,
        citations=st.lists(
            block(title=WORDS, location=st.one_of(LOCATED, ON_THE_WEB)), min_size=1, max_size=2
        ),
    ),
    block(reasoningContent=REASONED),
    block(reasoningContent=block(redactedContent=SIGNATURES)),
    block(toolUse=block(toolUseId="#t", name="look_up", input=INPUTS)),
)
BEDROCK_RAN = st.tuples(WORDS, WORDS).map(
    lambda drawn: [
        {
            "toolUse": {
                "toolUseId": "#n",
                "name": "nova_code_interpreter",
                "type": "server_tool_use",
                "input": {"snippet": drawn[0]},
            }
        },
        {
            "toolResult": {
                "toolUseId": "#n",
                "type": "nova_code_interpreter_result",
                "status": "success",
                "content": [{"json": {"stdOut": drawn[1], "stdErr": "", "exitCode": 0}}],
            }
        },
    ]
)
BEDROCK_SAYS = st.lists(
    st.one_of(BEDROCK_BLOCKS.map(lambda one: [one]), BEDROCK_RAN), min_size=1, max_size=6
).map(joined)
BEDROCK_USAGE = {"inputTokens": 3, "outputTokens": 9, "totalTokens": 12}


def bedrock_stream(blocks: list[Json], why: str) -> bytes:
    messages = [bedrock_event("messageStart", role="assistant")]
    for index, one in enumerate(blocks):
        place = {"contentBlockIndex": index}
        for kind in one.keys() & {"toolUse", "toolResult"}:
            later = ("input", "content")
            start = {name: value for name, value in one[kind].items() if name not in later}
            messages.append(bedrock_event("contentBlockStart", **place, start={kind: start}))
        deltas = bedrock_deltas(one)
        messages += [bedrock_event("contentBlockDelta", **place, delta=delta) for delta in deltas]
        messages.append(bedrock_event("contentBlockStop", **place))
    messages.append(bedrock_event("messageStop", stopReason=why))
    return b"".join([*messages, bedrock_event("metadata", usage=BEDROCK_USAGE)])


def bedrock_deltas(one: Json) -> Iterator[Json]:
    for citation in one.get("citations") or ():
        yield {"citation": citation}
    for name, value in one.get("reasoningContent", {}).get("reasoningText", {}).items():
        yield {"reasoningContent": {name: value}}
    if "redactedContent" in one.get("reasoningContent", {}):
        yield {"reasoningContent": one["reasoningContent"]}
    if "toolUse" in one:
        said = json.dumps(one["toolUse"]["input"])
        yield {"toolUse": {"input": said[:3]}}
        yield {"toolUse": {"input": said[3:]}}
    if "toolResult" in one:
        yield {"toolResult": one["toolResult"]["content"]}
    if "text" in one:
        yield {"text": one["text"][:2]}
        yield {"text": one["text"][2:]}


def bedrock_whole(blocks: list[Json], why: str) -> bytes:
    content = [
        {"citationsContent": {"content": [{"text": one["text"]}], "citations": one["citations"]}}
        if "citations" in one
        else one
        for one in blocks
    ]
    message = {"role": "assistant", "content": content}
    answer = {"output": {"message": message}, "stopReason": why, "usage": BEDROCK_USAGE}
    return json.dumps(answer).encode()


@st.composite
def gemini_grounded(draw: st.DrawFn) -> list[Json]:
    """Return the chunks of a text with sources, whose stretches are counted in bytes."""
    texts = draw(st.lists(WORDS, min_size=1, max_size=3))
    chunks = gemini_pieces([{"text": text} for text in texts], "STOP")
    ends = st.integers(0, len("".join(texts)))
    stretches = st.lists(ends, min_size=2, max_size=2, unique=True).map(sorted)
    pages = [{"web": {"uri": "https://a.example", "title": "é"}}, {"retrievedContext": {}}]
    supports: list[Json] = []
    for start, end in draw(st.lists(stretches, max_size=3)):
        first, last = (len("".join(texts)[:place].encode()) for place in (start, end))
        segment = {"endIndex": last, **({"startIndex": first} if first else {})}
        supports.append({"segment": segment, "groundingChunkIndices": [0, 1]})
    grounding = {"groundingChunks": pages, "groundingSupports": supports}
    chunks[-1]["candidates"][0]["groundingMetadata"] = grounding
    return chunks
