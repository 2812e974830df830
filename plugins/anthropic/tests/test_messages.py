"""The items of a history become the messages that Anthropic takes, in their order."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import InvalidRequestError

Encode = Callable[..., dict[str, Any]]
Judge = Callable[..., dict[str, str]]

OLDER = "claude-opus-4-6"
PIXELS = "data:image/png;base64,AAAA"
THOUGHT = {"type": "thinking", "thinking": "Hm.\u00e9", "signature": "c2lnbmVk"}
HIDDEN = {"type": "redacted_thinking", "data": "b3BhcXVl"}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": [*parts] if parts else "Go on."}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def carried(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "reasoning", "summary": [], "encrypted_content": json.dumps(blocks)}


def called(call_id: str, arguments: str = "{}", name: str = "look") -> dict[str, Any]:
    call = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"type": "function_call", **call}


def returned(call_id: str, output: Any = "done") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def use(call_id: str, given: Any = None, name: str = "look") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given or {}}


def result(call_id: str, *content: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": [*content] or [text("done")]}


def test_a_turn_keeps_its_blocks_in_their_order(encode: Encode) -> None:
    items = [
        user(),
        carried(THOUGHT, HIDDEN),
        {"role": "assistant", "content": "I look."},
        called("a", '{"at": 1.0}'),
        carried({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}}),
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        called("b"),
        returned("b"),
        returned("a"),
        user(),
    ]
    assert encode({"input": items})["messages"] == [
        {"role": "user", "content": [text("Go on.")]},
        {
            "role": "assistant",
            "content": [
                THOUGHT,
                HIDDEN,
                text("I look."),
                use("a", {"at": 1.0}),
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}},
                use("b"),
            ],
        },
        {"role": "user", "content": [result("a"), result("b"), text("Go on.")]},
    ]


def test_results_stand_before_what_the_user_said_in_between(encode: Encode) -> None:
    items = [user(), called("a"), user({"type": "input_text", "text": "Wait."}), returned("a")]
    assert encode({"input": items})["messages"][2]["content"] == [result("a"), text("Wait.")]


def test_calls_one_after_the_other_are_turns_of_their_own(encode: Encode) -> None:
    items = [user(), called("a"), returned("a"), called("b"), returned("b")]
    roles = [message["role"] for message in encode({"input": items})["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]


def test_reasoning_of_others_is_left_out(encode: Encode) -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
    items = [user(), thought, {"role": "assistant", "content": "Yes."}, user()]
    assert encode({"input": items})["messages"][1]["content"] == [text("Yes.")]


def test_a_model_with_a_budget_does_not_think_on_after_calls_without_thoughts(
    encode: Encode,
) -> None:
    asked, budgeted = {"reasoning": {"effort": "low"}}, "claude-haiku-4-5"
    bare = [user(), called("a"), returned("a")]
    assert "thinking" not in encode({**asked, "input": bare}, model=budgeted)
    thought = [user(), carried(THOUGHT), called("a"), returned("a")]
    assert encode({**asked, "input": thought}, model=budgeted)["thinking"]["type"] == "enabled"
    assert encode({**asked, "input": bare})["thinking"]["type"] == "adaptive"


def test_names_and_ids_that_anthropic_refuses_are_replaced(encode: Encode) -> None:
    tools = [{"type": "function", "name": "tell me.now", "parameters": None}]
    items = [user(), called("a.b", name="tell me.now"), returned("a.b"), called("a"), returned("a")]
    items += [called("a"), returned("a")]
    body = encode({"input": items, "tools": tools})
    (offered,) = body["tools"]
    one, other, again = (body["messages"][place]["content"][0] for place in (1, 3, 5))
    assert one["name"] == offered["name"] != "tell me.now"
    assert len({one["id"], other["id"], again["id"]}) == 3
    results = [body["messages"][place]["content"][0]["tool_use_id"] for place in (2, 4, 6)]
    assert results == [one["id"], other["id"], again["id"]]
    assert encode({"input": items, "tools": tools}) == body


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([returned("x")], "No tool call found for function call output with call_id x."),
        ([called("x")], "No tool output found for function call x."),
        ([called("x", "{"), returned("x")], "no JSON"),
        ([], "nothing to answer"),
        ([{"role": "user", "content": " "}], "nothing to answer"),
    ],
)
def test_a_history_that_makes_no_sense_is_refused(
    items: list[Any], message: str, encode: Encode
) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        encode({"input": items})


def test_arguments_and_outputs_may_be_empty(encode: Encode) -> None:
    body = encode({"input": [user(), called("x", ""), returned("x", "")]})
    assert body["messages"][1]["content"] == [use("x")]
    assert body["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "x"}]


def test_system_text_stands_first_or_where_it_was_said(encode: Encode) -> None:
    late = {"role": "developer", "content": "Be brief."}
    said = {"role": "assistant", "content": "Yes."}
    items = [{"role": "system", "content": "Be kind."}, user(), late, said, user()]
    body = encode({"instructions": "Be wise.", "input": items})
    assert body["system"] == [text("Be wise."), text("Be kind.")]
    assert body["messages"][1] == {"role": "system", "content": [text("Be brief.")]}
    tagged = text("<system>\nBe brief.\n</system>")
    for model in (OLDER, "claude-sonnet-5"):
        older = encode({"input": items}, model=model)
        assert older["messages"][0]["content"] == [text("Go on."), tagged]


def test_system_text_is_the_users_where_anthropic_would_not_have_it(encode: Encode) -> None:
    late = {"role": "system", "content": "Be brief."}
    tagged = text("<system>\nBe brief.\n</system>")
    between = encode({"input": [user(), late, user()]})
    assert between["messages"] == [
        {"role": "user", "content": [text("Go on."), tagged, text("Go on.")]}
    ]
    after = encode({"input": [user(), {"role": "assistant", "content": "Yes."}, late]})
    assert after["messages"][2] == {"role": "user", "content": [tagged]}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            {"type": "input_image", "image_url": PIXELS},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
            },
        ),
        (
            {"type": "input_image", "image_url": "https://a.test/b.png"},
            {"type": "image", "source": {"type": "url", "url": "https://a.test/b.png"}},
        ),
        (
            {"type": "input_image", "file_id": "file_1"},
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        ),
        (
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": "data:application/pdf;base64,AAAA",
            },
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"},
                "title": "a.pdf",
            },
        ),
        (
            {"type": "input_file", "file_data": "data:text/csv;charset=utf-8;base64,w6ksYg=="},
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "\u00e9,b"},
            },
        ),
        (
            {"type": "input_file", "file_url": "https://a.test/b.pdf"},
            {"type": "document", "source": {"type": "url", "url": "https://a.test/b.pdf"}},
        ),
    ],
)
def test_images_and_files_are_blocks(part: Any, block: Any, encode: Encode) -> None:
    body = encode({"input": [user(part), called("a"), returned("a", [part])]})
    assert body["messages"][0]["content"] == [block]
    assert body["messages"][2]["content"] == [result("a", block)]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_image", "image_url": "data:image/bmp;base64,AAAA"},
        {"type": "input_image", "image_url": "data:image/png,raw"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAAA"},
        {"type": "input_file", "file_data": "no base64!"},
        {"type": "input_image", "file_id": "file-openai"},
        {"type": "input_file", "file_data": "data:application/zip;base64,AAAA"},
        {"type": "input_file", "file_data": "data:text/plain;base64,/w=="},
        {"type": "input_file"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ],
)
def test_what_anthropic_cannot_look_at_is_refused(part: Any, judge: Judge) -> None:
    assert judge({"input": [user(part)]}) == {"input[0].content[0].type": "reject"}


def test_only_the_user_shows_images(judge: Judge) -> None:
    part = {"type": "input_image", "image_url": PIXELS}
    for role in ("assistant", "system"):
        items = [{"role": role, "content": [part]}]
        assert judge({"input": items}) == {"input[0].content[0].type": "reject"}


def test_files_are_cited_if_the_operator_says_so(encode: Encode) -> None:
    part = {"type": "input_file", "file_url": "https://a.test/b.pdf"}
    (block,) = encode({"input": [user(part)]}, cite_files=True)["messages"][0]["content"]
    assert block["citations"] == {"enabled": True}


def test_a_computer_call_and_its_screenshot_go_back(encode: Encode, judge: Judge) -> None:
    actions = [{"type": "click", "button": "left", "x": 1, "y": 2}, {"type": "screenshot"}]
    call = {"type": "computer_call", "call_id": "c", "actions": actions}
    screen = {"type": "computer_screenshot", "image_url": PIXELS}
    output = {"type": "computer_call_output", "call_id": "c", "output": screen}
    request = {"input": [user(), call, output], "tools": [{"type": "computer"}]}
    said, seen = (message["content"] for message in encode(request)["messages"][1:])
    assert [(block["id"], block["name"]) for block in said] == [
        ("c", "left_click"),
        ("c-2", "screenshot"),
    ]
    assert [block["tool_use_id"] for block in seen] == ["c", "c-2"]
    assert seen[1]["content"][0]["source"]["data"] == "AAAA"
    assert judge({"input": [{**call, "actions": [{"type": "jump"}]}]}) == {
        "input[0].type": "reject"
    }
