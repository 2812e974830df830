"""The judges notice what is wrong: each of these bodies would be right without one change."""

from typing import Any

import pytest

from .judging import judge

Json = dict[str, Any]

CLAUDE_SAYS: Json = {"model": "m", "messages": [{"role": "user", "content": "Hello."}]}
CLAUDE: Json = {**CLAUDE_SAYS, "max_tokens": 1, "stream": True, "temperature": 1}
GEMINI: Json = {"contents": [{"role": "user", "parts": [{"text": "Hello."}]}]}
BEDROCK: Json = {"messages": [{"role": "user", "content": [{"text": "Hello."}]}]}
RIGHT: dict[str, Json] = {
    "https://a.test/v1/messages": CLAUDE,
    "/v1/messages/count_tokens": CLAUDE_SAYS,
    "/models/m:streamGenerateContent?alt=sse": GEMINI,
    "/v1beta/models/m:countTokens": {"generateContentRequest": {"model": "models/m", **GEMINI}},
    "/v1/projects/p/models/m:countTokens": GEMINI,
    "/interactions": {"model": "m", "input": "Hello."},
    "/model/m/converse-stream": BEDROCK,
    "/model/m/count-tokens": {"input": {"converse": BEDROCK}},
}
MESSAGES, COUNT, CONTENT, GOOGLE_COUNT, VERTEX_COUNT, INTERACTIONS, CONVERSE, AWS_COUNT = RIGHT


def user(**part: Any) -> Json:
    """Return a step of the user's, as the Interactions API has it."""
    return {"input": [{"type": "user_input", "content": [part]}]}


def spoken(*roles: str) -> Json:
    """Return a conversation of Converse in which `roles` speak."""
    return {"messages": [{"role": role, "content": [{"text": "Hello."}]} for role in roles]}


def told(*parts: Json) -> Json:
    """Return a conversation with Gemini in which the user says `parts`."""
    return {"contents": [{"role": "user", "parts": [*parts]}]}


WRONG: list[tuple[str, Json]] = [
    (MESSAGES, {"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}),
    (MESSAGES, {"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
    (MESSAGES, {"messages": [{"role": "user", "content": [{"type": "text", "text": "", "a": 1}]}]}),
    (MESSAGES, {"messages": [*CLAUDE["messages"], *CLAUDE["messages"]]}),
    (MESSAGES, {"tools": [{"type": "web_search_20250305", "name": "search"}]}),
    (MESSAGES, {"tools": [{"name": "a.b", "input_schema": {"type": "object"}}]}),
    (MESSAGES, {"max_tokens": "many"}),
    (MESSAGES, {"thinking": {"type": "often"}}),
    (COUNT, {"max_tokens": 1}),
    (COUNT, {"temperature": 1}),
    (CONTENT, told({"text": "a", "foo": 1})),
    (CONTENT, {"contents": [{"role": "user", "parts": "a"}]}),
    (CONTENT, {"contents": []}),
    (CONTENT, told()),
    (CONTENT, told({"text": ""})),
    (CONTENT, told({"functionCall": {"id": "a", "name": "look", "args": {}}})),
    (CONTENT, {"tools": [{"functionDeclarations": [{"title": "look"}]}]}),
    (CONTENT, {"tools": [{"functionDeclarations": [{"name": "3d"}]}]}),
    (CONTENT, {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
    (CONTENT, {"generationConfig": {"maxOutputTokens": "many"}}),
    (CONTENT, {"generationConfig": {"thinkingConfig": {"effort": "LOW"}}}),
    (CONTENT, {"toolChoice": "none"}),
    (GOOGLE_COUNT, GEMINI),
    (GOOGLE_COUNT, {"generateContentRequest": GEMINI}),
    (VERTEX_COUNT, {"toolConfig": {}}),
    (INTERACTIONS, {"prompt": "Hello"}),
    (INTERACTIONS, {"tools": [{"type": "googleSearch"}]}),
    (INTERACTIONS, {"tools": [{"type": "function", "name": "a b"}]}),
    (INTERACTIONS, user(type="text", text="a", foo=1)),
    (INTERACTIONS, user(type="picture", data="AAAA")),
    (INTERACTIONS, {"input": [{"type": "function_result", "name": "look", "result": "seen"}]}),
    (INTERACTIONS, {"generation_config": {"max_tokens": 5}}),
    (INTERACTIONS, {"generation_config": {"tool_choice": {"allowed": ["look"]}}}),
    (CONVERSE, spoken("user", "user")),
    (CONVERSE, spoken("assistant")),
    (CONVERSE, spoken("system")),
    (CONVERSE, {"messages": [{"role": "user", "content": [{"text": "a", "image": {}}]}]}),
    (CONVERSE, {"inferenceConfig": {"maxTokens": "many"}}),
    (CONVERSE, {"toolConfig": {"tools": [{"toolSpec": {"name": "a b", "inputSchema": {}}}]}}),
    (CONVERSE, {"toolChoice": "none"}),
    (AWS_COUNT, {"input": {"converse": spoken("user", "user")}}),
    (AWS_COUNT, {"input": {"converse": {**BEDROCK, "inferenceConfig": {"maxTokens": 1}}}}),
]


@pytest.mark.parametrize("address", RIGHT)
def test_what_is_right_is_let_pass(address: str) -> None:
    judge(address, RIGHT[address])


@pytest.mark.parametrize(("address", "change"), WRONG)
def test_what_is_wrong_is_noticed(address: str, change: Json) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        judge(address, RIGHT[address] | change)


def test_nobody_judges_what_goes_elsewhere() -> None:
    with pytest.raises(LookupError, match="nobody"):
        judge("https://a.test/v1/chat/completions", {})
