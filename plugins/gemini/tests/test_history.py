"""Conversations: who said what, what was called, and what goes back verbatim."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import InvalidRequestError
from gateway.testing.preparing import Prepared

Encode = Callable[..., dict[str, Any]]

UNCHECKED = "skip_thought_signature_validator"
PIXELS = "data:image/png;base64,AAAA"


def call(name: str, arguments: str = "{}") -> dict[str, Any]:
    return {"type": "function_call", "call_id": name, "name": "look", "arguments": arguments}


def output(name: str, what: Any = "seen") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": name, "output": what}


def thought(**carrier: Any) -> dict[str, Any]:
    return {"type": "reasoning", "summary": [], "encrypted_content": json.dumps(carrier)}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def told(name: str, arguments: Any = None, **signature: Any) -> dict[str, Any]:
    return {"functionCall": {"id": name, "name": "look", "args": arguments or {}}, **signature}


def result(name: str, response: Any = None, **more: Any) -> dict[str, Any]:
    response = response or {"output": "seen"}
    return {"functionResponse": {"id": name, "name": "look", "response": response, **more}}


def test_system_texts_lead_or_are_told_by_the_user(encode: Encode) -> None:
    body = encode(
        {
            "instructions": "Be brief.",
            "input": [
                {"role": "developer", "content": "Be kind."},
                user("Hello"),
                {"role": "system", "content": "Be quick."},
                user("Now"),
            ],
        }
    )
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief.\n\nBe kind."}]}
    texts = ["Hello", "<system>\nBe quick.\n</system>", "Now"]
    assert body["contents"] == [{"role": "user", "parts": [{"text": text} for text in texts]}]


def test_all_that_the_model_says_in_a_row_is_one_content(encode: Encode) -> None:
    said = [
        {"role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
        call("a", '{"x": 1}'),
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        call("b"),
    ]
    body = encode({"input": [user("?"), *said, output("b"), output("a"), user("!")]})
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user", "user"]
    assert body["contents"][1]["parts"] == [
        {"text": "Let me see."},
        told("a", {"x": 1}, thoughtSignature=UNCHECKED),
        {"text": "No."},
        told("b"),
    ]
    assert body["contents"][2]["parts"] == [result("a"), result("b")]


def test_calls_that_were_made_one_after_the_other_stay_so(encode: Encode) -> None:
    body = encode({"input": [user("?"), call("a"), output("a"), call("b"), output("b")]})
    parts = [content["parts"] for content in body["contents"][1:]]
    signed = {"thoughtSignature": UNCHECKED}
    assert parts == [[told("a", **signed)], [result("a")], [told("b", **signed)], [result("b")]]


def test_results_follow_their_calls_wherever_they_stand(encode: Encode) -> None:
    body = encode({"input": [user("?"), call("a"), user("Wait."), output("a")]})
    parts = [content["parts"] for content in body["contents"][2:]]
    assert parts == [[result("a")], [{"text": "Wait."}]]


def test_the_model_never_speaks_first(encode: Encode) -> None:
    body = encode({"input": [{"role": "assistant", "content": "Hello!"}]})
    assert [content["role"] for content in body["contents"]] == ["user", "model"]


@pytest.mark.parametrize(
    ("what", "response"),
    [
        ("21 degrees", {"output": "21 degrees"}),
        ('{"degrees": 21}', {"degrees": 21}),
        ("[21]", {"output": "[21]"}),
        ("{21", {"output": "{21"}),
        ("", {"output": ""}),
        (
            [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
            {"output": "a\nb"},
        ),
    ],
)
def test_a_result_is_an_object(what: Any, response: Any, encode: Encode) -> None:
    body = encode({"input": [user("?"), call("a"), output("a", what)]})
    assert body["contents"][2]["parts"] == [result("a", response)]


def test_pictures_of_a_function_stand_in_its_result(encode: Encode) -> None:
    parts = [
        {"type": "input_text", "text": "two"},
        {"type": "input_image", "image_url": PIXELS},
        {"type": "input_image", "image_url": "https://a.test/b.png"},
    ]
    body = encode({"input": [user("?"), call("a"), output("a", parts)]})
    inline = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    linked = {"fileData": {"fileUri": "https://a.test/b.png", "mimeType": "image/png"}}
    assert body["contents"][2]["parts"] == [result("a", {"output": "two"}, parts=[inline])]
    assert body["contents"][3]["parts"] == [{"text": "Output of look:"}, linked]
    older = encode({"input": [user("?"), call("a"), output("a", parts)]}, model="gemini-2.5-pro")
    assert older["contents"][2]["parts"] == [result("a", {"output": "two"})]
    assert older["contents"][3]["parts"] == [{"text": "Output of look:"}, inline, linked]


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (
            {"type": "input_image", "image_url": "https://a.test/b.webp?x=1"},
            {"fileData": {"fileUri": "https://a.test/b.webp?x=1", "mimeType": "image/webp"}},
        ),
        (
            {"type": "input_image", "image_url": "gs://bucket/picture"},
            {"fileData": {"fileUri": "gs://bucket/picture", "mimeType": "image/jpeg"}},
        ),
        (
            {
                "type": "input_file",
                "file_url": "https://generativelanguage.googleapis.com/v1beta/files/x",
            },
            {
                "fileData": {
                    "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x",
                }
            },
        ),
        (
            {"type": "input_file", "file_data": "data:text/csv;base64,YQ=="},
            {"inlineData": {"mimeType": "text/csv", "data": "YQ=="}},
        ),
        (
            {"type": "input_file", "file_data": "YQ=="},
            {"inlineData": {"mimeType": "application/pdf", "data": "YQ=="}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "YQ==", "format": "wav"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "YQ=="}},
        ),
    ],
)
def test_media_are_data_or_an_address(part: Any, wanted: Any, encode: Encode) -> None:
    body = encode({"input": [{"role": "user", "content": [part]}]})
    assert body["contents"][0]["parts"] == [wanted]


def test_signatures_go_back_to_their_parts(encode: Encode) -> None:
    said = [
        {"role": "assistant", "content": "One."},
        thought(previous="b25l", previous_length=4, next="dHdv"),
        call("a"),
        call("b"),
    ]
    body = encode({"input": [user("?"), *said, output("a"), output("b")]})
    assert body["contents"][1]["parts"] == [
        {"text": "One.", "thoughtSignature": "b25l"},
        told("a", thoughtSignature="dHdv"),
        told("b"),
    ]


def test_the_end_of_a_text_is_signed_as_it_came(encode: Encode) -> None:
    said = [
        {"role": "assistant", "content": "One. Two."},
        thought(previous="dHdv", previous_length=4),
    ]
    body = encode({"input": [user("?"), *said, user("!")]})
    signed = {"text": "Two.", "thoughtSignature": "dHdv"}
    assert body["contents"][1]["parts"] == [{"text": "One. "}, signed]


def test_what_was_signed_and_is_gone_takes_its_signature_along(encode: Encode) -> None:
    said = [call("a"), thought(previous="dHdv", previous_length=4)]
    body = encode({"input": [user("?"), *said, output("a")]})
    assert body["contents"][1]["parts"] == [told("a", thoughtSignature=UNCHECKED)]


def test_parts_without_an_item_go_back_verbatim_and_in_place(encode: Encode) -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "b25l"}
    outcome = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}
    alone = {"text": "", "thoughtSignature": "dHdv"}
    item = {"type": "code_interpreter_call", "id": "ci_1", "container_id": "c", "code": "1"}
    said = [thought(parts=[code, outcome]), item, {"role": "assistant", "content": "1."}]
    body = encode({"input": [user("?"), *said, thought(parts=[alone]), user("!")]})
    assert body["contents"][1]["parts"] == [code, outcome, {"text": "1."}, alone]


def test_what_a_hosted_tool_did_is_left_out_without_its_carrier(encode: Encode) -> None:
    hosted = [
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "code_interpreter_call", "id": "ci_1", "container_id": "c", "code": "1"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
    ]
    said = [*hosted, {"role": "assistant", "content": "1."}]
    body = encode({"input": [user("?"), *said, user("!")]})
    assert body["contents"][1]["parts"] == [{"text": "1."}]


def test_a_picture_that_the_model_made_goes_back_with_its_signature(encode: Encode) -> None:
    made = {"type": "image_generation_call", "id": "ig_1", "result": "AAAA", "status": "completed"}
    body = encode({"input": [user("?"), thought(next="b25l"), made, user("!")]})
    inline = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    assert body["contents"][1]["parts"] == [{**inline, "thoughtSignature": "b25l"}]


@pytest.mark.parametrize(
    ("model", "signature"),
    [
        ("gemini-3-pro-preview", {"thoughtSignature": UNCHECKED}),
        ("gemini-2.5-pro", {}),
    ],
)
def test_the_first_call_of_a_step_is_signed_by_who_must(
    model: str, signature: dict[str, str], encode: Encode
) -> None:
    items = [user("?"), call("a"), call("b"), output("a"), output("b")]
    body = encode({"input": items}, model=model)
    assert body["contents"][1]["parts"] == [told("a", **signature), told("b")]


def test_what_was_done_on_a_screen_goes_back(encode: Encode) -> None:
    used = {"type": "computer_call", "call_id": "c", "actions": [{"type": "wait"}]}
    seen = {
        "type": "computer_call_output",
        "call_id": "c",
        "output": {"type": "computer_screenshot", "image_url": PIXELS},
    }
    body = encode({"input": [user("?"), thought(next="b25l"), used, seen]})
    (part,) = body["contents"][1]["parts"]
    assert part["thoughtSignature"] == "b25l"
    assert part["functionCall"]["name"] == "wait"
    (answer,) = body["contents"][2]["parts"]
    assert answer["functionResponse"]["id"] == part["functionCall"]["id"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "nothing to answer"),
        ([user("")], "nothing to answer"),
        ([user("?"), call("a")], r"^No tool output found for function call a\.$"),
        ([user("?"), output("a")], r"^No tool call found for .* call_id a\.$"),
        ([user("?"), call("a"), output("a"), output("a")], "No tool call found"),
        ([user("?"), call("a", '{"x'), output("a")], "no JSON"),
    ],
)
def test_what_nobody_could_answer_is_refused(
    items: list[Any], message: str, prepare: Callable[..., Prepared]
) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        prepare({"input": items}).encode()
    assert (caught.value.param or "").startswith("input")


def test_a_conversation_is_always_told_in_the_same_bytes(
    prepare: Callable[..., Prepared],
) -> None:
    items = [user("?"), thought(next="b25l"), call("a", '{"b": 1, "a": 2.50}'), output("a")]
    request = {"input": items}
    body = prepare(request).encode().body
    assert body == prepare(request).encode().body
    assert b'{"b": 1, "a": 2.50}' in body
