"""What ran at Anthropic is told as items of OpenAI's and comes back whole; all is invented."""

from collections.abc import Callable
from typing import Any

import pytest

EVERYTHING = {"include": ["web_search_call.action.sources", "code_interpreter_call.outputs"]}
AFTER = {"type": "text", "text": "Done."}
URL = "https://oslo.example"


def use(name: str, **given: Any) -> dict[str, Any]:
    return {"type": "server_tool_use", "id": "srvtoolu_1", "name": name, "input": given}


def result(name: str, content: Any) -> dict[str, Any]:
    return {"type": f"{name}_tool_result", "tool_use_id": "srvtoolu_1", "content": content}


def test_a_search_shows_its_sources_only_to_who_asks(answer: Callable[..., Any]) -> None:
    hits = [{"type": "web_search_result", "url": URL, "encrypted_content": "c2VhbGVk"}]
    blocks = use("web_search", query="Oslo"), result("web_search", hits)
    silent, open_ = answer(*blocks, AFTER), answer(*blocks, AFTER, request=EVERYTHING)
    action = {"type": "search", "query": "Oslo", "queries": ["Oslo"]}
    assert silent.items("web_search_call")[0].action == action
    sources = [{"type": "url", "url": URL}]
    assert open_.items("web_search_call")[0].action == {**action, "sources": sources}
    assert silent.carriers == open_.carriers == [[*blocks]]


def test_a_page_that_was_fetched_is_one_that_was_opened(answer: Callable[..., Any]) -> None:
    page = {"type": "web_fetch_result", "url": URL, "content": {}}
    outcome = answer(use("web_fetch", url=URL), result("web_fetch", page), AFTER)
    (call,) = outcome.items("web_search_call")
    assert call.action == {"type": "open_page", "url": URL}


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("code_execution", {"code": "6 * 7"}, "6 * 7"),
        ("bash_code_execution", {"command": "ls"}, "ls"),
        (
            "text_editor_code_execution",
            {"command": "view", "path": "a"},
            '{"command":"view","path":"a"}',
        ),
    ],
)
def test_code_that_ran_is_shown_with_what_it_wrote(
    answer: Callable[..., Any], name: str, given: dict[str, Any], code: str
) -> None:
    wrote = {"type": f"{name}_result", "stdout": "out\n", "stderr": "err\n"}
    outcome = answer(
        use(name, **given),
        result(name, wrote),
        AFTER,
        request=EVERYTHING,
        container={"id": "container_1"},
    )
    (call,) = outcome.items("code_interpreter_call")
    assert (call.code, call.container_id) == (code, "container_1")
    assert call.outputs == ({"type": "logs", "logs": "out\nerr\n"},)


def test_a_tool_that_failed_says_so(answer: Callable[..., Any]) -> None:
    error = {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
    outcome = answer(use("web_search", query="Oslo"), result("web_search", error), AFTER)
    assert outcome.items("web_search_call")[0].status == "failed"


@pytest.mark.parametrize("failed", [False, True])
def test_a_call_of_an_mcp_server_is_told_with_its_output(
    answer: Callable[..., Any], *, failed: bool
) -> None:
    called = {**use("ask", question="why"), "type": "mcp_tool_use", "server_name": "wiki"}
    said = [{"type": "text", "text": "because"}]
    outcome = answer(called, {**result("mcp", said), "is_error": failed}, AFTER)
    (call,) = outcome.items("mcp_call")
    assert (call.server_label, call.name) == ("wiki", "ask")
    assert call.arguments == '{"question":"why"}'
    assert call.output == (None if failed else "because")
    error = {"type": "mcp_tool_execution_error", "content": said}
    assert call.error == (error if failed else None)
    assert outcome.carriers[0][0]["id"] == call.id


def test_the_tools_of_an_mcp_server_are_listed(answer: Callable[..., Any]) -> None:
    tool = {"name": "ask", "input_schema": {"type": "object"}}
    listing = {"type": "mcp_tool_listing", "mcp_server_name": "wiki", "tools": [tool]}
    outcome = answer(listing, AFTER)
    (item,) = outcome.items("mcp_list_tools")
    assert (item.server_label, item.tools[0].name) == ("wiki", "ask")
    assert outcome.carriers == [[listing]]


def test_tools_that_openai_does_not_have_only_come_back(answer: Callable[..., Any]) -> None:
    blocks = use("advisor"), result("advisor", {"type": "advisor_redacted_result"})
    outcome = answer(*blocks, AFTER)
    assert outcome.types == ["reasoning", "message"]
    assert outcome.carriers == [[*blocks]]


def test_a_tool_that_was_cut_off_does_not_come_back(answer: Callable[..., Any]) -> None:
    assert answer(AFTER, use("web_search", query="Oslo"), stop="max_tokens").carriers == []


def test_code_that_waits_for_a_tool_of_the_client_comes_back(answer: Callable[..., Any]) -> None:
    code = use("code_execution", code="await weather()")
    call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
    outcome = answer(code, call, stop="tool_use")
    assert outcome.types == ["reasoning", "function_call"]
    assert outcome.carriers == answer(call, code, stop="tool_use").carriers == [[code]]
