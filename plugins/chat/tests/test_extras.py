"""What answers hold beside text and calls: images, audio, signatures. All of it is invented."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.plugin import CustomCall, Text, Thought, ToolCall
from gateway.stream.lifecycle import violations
from gateway_chat.reasoning import Carrier, read_carrier, write_carrier

Chat = Callable[..., Any]
PNG = "iVBORw0KGgo="


def choice(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, "finish_reason": finish}]}


def call(identifier: str | None = "x", said: str = "{}", **more: Any) -> dict[str, Any]:
    return {"index": 0, "id": identifier, "function": {"name": "f", "arguments": said}, **more}


def signed(signature: str, **more: Any) -> dict[str, Any]:
    return {"extra_content": {"google": {"thought_signature": signature, **more}}}


def carriers(found: list[Any]) -> list[Carrier]:
    texts = [delta.carrier for delta in found if isinstance(delta, Thought) and delta.carrier]
    return [read_carrier(text) for text in texts]


@pytest.mark.parametrize(
    "image",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "image_url", "image_url": f"data:image/png;base64,{PNG}", "index": 0},
        {"url": f"data:image/png;base64,{PNG}"},
        {"b64_json": PNG},
        PNG,
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_an_image_is_an_item_of_its_own_and_told_once(chat: Chat, image: Any, times: int) -> None:
    outcome = chat({"content": "Look:"}, *[{"content": "", "images": [image]}] * times, "stop")
    assert violations(outcome.events) == []
    assert [item.type for item in outcome.response.output] == ["message", "image_generation_call"]
    (item,) = outcome.items("image_generation_call")
    assert (item.status, item.result) == ("completed", PNG)
    assert item.output_format in ("png", msgspec.UNSET)


def test_an_image_may_be_a_part_of_the_content(chat: Chat) -> None:
    url = {"url": f"data:image/webp;base64,{PNG}"}
    outcome = chat({"content": [{"type": "image_url", "image_url": url}]}, "stop")
    (item,) = outcome.response.output
    assert (item.type, item.result, item.output_format) == ("image_generation_call", PNG, "webp")


def test_an_image_elsewhere_is_linked(chat: Chat) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://a.test/b.png"}}
    assert chat({"images": [image]}, "stop").text == "![image](https://a.test/b.png)"


def test_what_was_spoken_is_told_as_text(chat: Chat) -> None:
    spoken = [{"audio": {"id": "a"}}, {"audio": {"transcript": "Hel"}}, {"audio": {"data": "QQ=="}}]
    assert chat(*spoken, {"audio": {"transcript": "lo"}}, "stop").text == "Hello"


def test_a_refusal_is_streamed_as_it_comes(chat: Chat) -> None:
    outcome = chat({"refusal": "I can"}, {"refusal": "not.", "content": None}, "stop")
    assert violations(outcome.events) == []
    assert [part.refusal for part in outcome.items("message")[0].content] == ["I cannot."]


def test_log_probabilities_of_any_shape_are_told(read: Chat) -> None:
    tokens = [
        {"token": "é", "logprob": -1, "bytes": [195, 169], "top_logprobs": []},
        {"token": "", "logprob": -9999.0, "bytes": []},
        {"token": "x", "logprob": -0.5, "bytes": None, "top_logprobs": None},
    ]
    logprobs = {"content": tokens, "refusal": [{"token": "n", "logprob": -1.0}]}
    chunk = {
        "choices": [{"delta": {"content": "éx"}, "logprobs": logprobs, "finish_reason": "stop"}]
    }
    outcome = read([b"data: " + msgspec.json.encode(chunk) + b"\n\n"])
    assert violations(outcome.events) == []
    (part,) = outcome.items("message")[0].content
    assert [one.token for one in part.logprobs] == ["é", "", "x"]


def test_log_probabilities_of_reasoning_are_not_those_of_the_text(read: Chat) -> None:
    def chunk(token: str, **delta: str) -> bytes:
        logprobs = {"content": [{"token": token, "logprob": -1}]}
        chunk = {"choices": [{"delta": delta, "logprobs": logprobs}]}
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"

    chunks = [chunk("Hm", reasoning="Hm"), chunk("", content=""), chunk("Yes", content="Yes")]
    outcome = read([*chunks, b"data: [DONE]\n\n"])
    (part,) = outcome.items("message")[0].content
    assert [one.token for one in part.logprobs] == ["", "Yes"]


def test_a_custom_call_streams_its_input(deltas: Chat) -> None:
    def piece(**custom: str) -> dict[str, Any]:
        named = {"id": "x", "type": "custom"} if "name" in custom else {}
        return choice(tool_calls=[{"index": 0, **named, "custom": custom}])

    found = deltas(piece(name="shell", input=""), piece(input="ls"), piece(input=" -l"))
    assert found == [CustomCall(0, "x", "shell", "ls"), CustomCall(0, input=" -l")]


def test_calls_of_both_kinds_go_side_by_side(chat: Chat) -> None:
    custom = {"id": "y", "type": "custom", "custom": {"name": "shell", "input": "{}"}}
    outcome = chat({"tool_calls": [call() | {"index": None}, custom]}, "tool_calls")
    types = [item.type for item in outcome.response.output]
    assert types == ["function_call", "custom_tool_call"]


@pytest.mark.parametrize(
    ("deltas_", "types"),
    [
        ([{"content": "\n\n"}, {"tool_calls": [call()]}], ["function_call"]),
        (
            [{"content": " "}, {"content": "\n"}, {"reasoning": "Hm."}, {"tool_calls": [call()]}],
            ["reasoning", "function_call"],
        ),
        ([{"reasoning": "Hm."}, {"content": "\n"}], ["reasoning", "message"]),
        ([{"tool_calls": [call(said="")]}, {"content": "\n"}], ["function_call"]),
    ],
)
def test_white_space_makes_no_message_beside_calls(
    chat: Chat, deltas_: list[Any], types: list[str]
) -> None:
    outcome = chat(*deltas_, "stop")
    assert violations(outcome.events) == []
    assert [item.type for item in outcome.response.output] == types


def test_white_space_before_text_is_part_of_it(chat: Chat) -> None:
    assert chat({"content": "\n"}, {"content": " "}, {"content": "Yes"}, "stop").text == "\n Yes"


def test_white_space_between_the_pieces_of_a_call_does_not_end_it(chat: Chat) -> None:
    pieces = [{"tool_calls": [call(said="{")]}, {"content": "\n"}, {"tool_calls": [call(said="}")]}]
    (item,) = chat(*pieces, "tool_calls").response.output
    assert item.arguments == "{}"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_that_goes_back_as_text_is_carried(deltas: Chat, field: str) -> None:
    found = deltas(
        choice(reasoning="Let "),
        choice(reasoning="me."),
        choice(content="\n"),
        choice(content="Yes."),
        reasoning_out=field,
    )
    assert [type(delta) for delta in found] == [Thought, Thought, Thought, Text]
    assert carriers(found) == [Carrier(text="Let me.")]


@pytest.mark.parametrize("field", ["none", "details", "signatures"])
def test_reasoning_that_no_vendor_wants_back_is_not_carried(deltas: Chat, field: str) -> None:
    found = deltas(choice(reasoning="Hm."), choice("stop", content="Yes."), reasoning_out=field)
    assert carriers(found) == []


def test_reasoning_in_tags_is_carried(deltas: Chat) -> None:
    chunk = choice("stop", content="<think>Hm.</think>Yes.")
    found = deltas(chunk, think_tags="paired", reasoning_out="reasoning_content")
    assert carriers(found) == [Carrier(text="Hm.")]
    assert isinstance(found[1], Thought)


def test_signatures_go_ahead_of_their_calls(deltas: Chat) -> None:
    calls = [call("a") | signed("s"), call("b", index=1), call("c", index=2) | signed("t")]
    found = deltas(choice(tool_calls=calls))
    assert [type(delta) for delta in found] == [Thought, ToolCall, ToolCall, ToolCall]
    assert carriers(found) == [Carrier(signatures={"a": "s", "c": "t"})]


def test_a_late_signature_cuts_no_call(chat: Chat) -> None:
    more = {"index": 0, "id": "x", "function": {"arguments": "1}"}}
    outcome = chat(
        {"tool_calls": [call(said='{"a":')]}, {"tool_calls": [more | signed("s")]}, "stop"
    )
    assert outcome.error is None
    assert [item.type for item in outcome.response.output] == ["function_call", "reasoning"]
    assert outcome.items("function_call")[0].arguments == '{"a":1}'
    carrier = read_carrier(outcome.items("reasoning")[0].encrypted_content)
    assert carrier.signatures == {"x": "s"}


def test_the_signature_of_a_message_is_carried(deltas: Chat) -> None:
    found = deltas(choice(content="", **signed("s")), choice("stop", content="Yes."))
    assert carriers(found) == [Carrier(signatures={"": "s"})]
    assert [type(delta) for delta in found[:2]] == [Thought, Text]


def test_the_signature_of_mistrals_thinking_is_carried(deltas: Chat) -> None:
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "signature": "s"}
    found = deltas(choice("stop", content=[part, {"type": "text", "text": "Yes."}]))
    assert carriers(found) == [Carrier(signatures={"": "s"})]


def test_thoughts_that_gemini_marks_in_the_content_are_a_summary(deltas: Chat) -> None:
    mark: Any = {"extra_content": {"google": {"thought": True}}}
    found = deltas(
        choice(content="<thought>I ", **mark),
        choice(content="look.", **mark),
        choice(content="</thought>Yes."),
        choice(content="</thought>"),
    )
    thoughts = [Thought("I ", kind="summary"), Thought("look.", kind="summary")]
    assert found == [*thoughts, Text("Yes."), Text("</thought>")]


def test_reasoning_in_a_list_may_be_a_summary(deltas: Chat) -> None:
    parts = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "In short"}]}]
    assert deltas(choice(content=parts)) == [Thought("In short", kind="summary")]


@pytest.mark.parametrize(
    "carrier",
    [
        Carrier(text="Hm."),
        Carrier(details=({"type": "reasoning.encrypted", "data": "x"},)),
        Carrier(signatures={"x": "s"}, text="Hm."),
    ],
)
def test_a_carrier_comes_back_as_it_went_out(carrier: Carrier) -> None:
    assert read_carrier(write_carrier(carrier)) == carrier


@pytest.mark.parametrize("text", [None, "", "[1]", "gAAAAB", '{"text": 3}', "[" * 9999])
def test_what_is_no_carrier_carries_nothing(text: str | None) -> None:
    assert read_carrier(text) == Carrier()
    assert write_carrier(read_carrier(text)) is None


def test_details_are_joined_only_where_they_go_on(deltas: Chat) -> None:
    def detail(**members: Any) -> dict[str, Any]:
        return {"index": 0, **members}

    text, sealed = {"type": "reasoning.text"}, {"type": "reasoning.encrypted"}
    details = [
        detail(**text, text="a", signature="s"),
        detail(**text, text="b"),
        detail(**sealed, id="1", data="x"),
        detail(**sealed, id="2", data="y"),
    ]
    found = deltas(choice("stop", reasoning_details=details))
    assert carriers(found) == [Carrier(details=tuple(details))]
