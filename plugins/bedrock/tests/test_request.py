"""What of a request becomes which member of Converse's body."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.errors import ConfigError, InvalidRequestError
from gateway.plugin.names import safe_name
from gateway.types.tools import FunctionTool

from .conftest import DIALECT, call_of

Json = dict[str, Any]
Encode = Callable[..., Json]
Judge = Callable[..., dict[str, str]]

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NEW_CLAUDE = "global.anthropic.claude-opus-5-2"
NOVA = "us.amazon.nova-2-lite-v1:0"
ASK = {"role": "user", "content": "Ask."}
TOOL = {"type": "function", "name": "tell"}
CALL = {"type": "function_call", "call_id": "c1", "name": "tell", "arguments": '{"a":1.0}'}
CALL_OF_IT = {**CALL, "name": "tell.me"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "told"}


def test_the_url_has_the_model_percent_encoded() -> None:
    arn = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-x-v1:0"
    url = DIALECT.encode(call_of({}, arn)).url
    assert url == (
        "https://bedrock.invalid/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3A"
        "inference-profile%2Feu.anthropic.claude-x-v1%3A0/converse-stream"
    )
    count = DIALECT.encode_count(call_of({}, arn)).url
    assert count == "https://bedrock.invalid/model/anthropic.claude-x-v1%3A0/count-tokens"
    count = DIALECT.encode_count(call_of({}, "us.amazon.nova-2-lite-v1:0")).url
    assert count.endswith("/model/amazon.nova-2-lite-v1%3A0/count-tokens")


def test_instructions_and_what_leads_are_the_system(encode: Encode) -> None:
    late = {"role": "developer", "content": "Be kind."}
    body = encode({"instructions": "Be brief.", "input": [late, ASK, late]})
    assert body["system"] == [{"text": "Be brief."}, {"text": "Be kind."}]
    tagged = {"text": "<system>\nBe kind.\n</system>"}
    assert body["messages"] == [{"role": "user", "content": [{"text": "Ask."}, tagged]}]


def test_results_come_first_in_what_the_user_says_next(encode: Encode) -> None:
    second = {**CALL, "call_id": "c2"}
    remark = {"role": "user", "content": "By the way."}
    items = [ASK, CALL, second, remark, {**OUTPUT, "call_id": "c2"}, OUTPUT]
    first, assistant, user = encode({"input": items, "tools": [TOOL]})["messages"]
    assert first["role"] == "user"
    assert [block["toolUse"]["toolUseId"] for block in assistant["content"]] == ["c1", "c2"]
    results = [block["toolResult"]["toolUseId"] for block in user["content"][:2]]
    assert (results, user["content"][2]) == (["c1", "c2"], {"text": "By the way."})


def test_calls_and_outputs_in_turns_stay_in_turns(encode: Encode) -> None:
    items = [ASK, CALL, OUTPUT, CALL, OUTPUT, CALL, OUTPUT]
    body = encode({"input": items, "tools": [TOOL]})
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["user", "assistant"] * 3 + ["user"]
    used = [m["content"][0]["toolUse"]["toolUseId"] for m in body["messages"][1::2]]
    told = [m["content"][0]["toolResult"]["toolUseId"] for m in body["messages"][2::2]]
    assert used == told
    assert len(set(used)) == 3


def test_arguments_go_back_as_the_model_wrote_them() -> None:
    body = DIALECT.encode(call_of({"input": [ASK, CALL, OUTPUT]})).body
    assert b'"input":{"a":1.0}' in body


def test_tools_of_the_history_are_offered_if_no_others_are(encode: Encode) -> None:
    (tool,) = encode({"input": [ASK, CALL, OUTPUT]})["toolConfig"]["tools"]
    assert tool["toolSpec"]["name"] == "tell"


def test_a_name_that_bedrock_would_not_take_is_another_one_everywhere(encode: Encode) -> None:
    tool = {**TOOL, "name": "tell.me"}
    body = encode({"tools": [tool], "tool_choice": tool, "input": [ASK, CALL_OF_IT, OUTPUT]})
    config, use = body["toolConfig"], body["messages"][1]["content"][0]["toolUse"]
    names = {config["toolChoice"]["tool"]["name"], config["tools"][0]["toolSpec"]["name"]}
    assert names == {use["name"]} == {safe_name("tell.me")}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "name": "tell"}, {"tool": {"name": "tell"}}),
        ({"type": "allowed_tools", "mode": "required", "tools": [TOOL]}, {"any": {}}),
    ],
)
def test_a_choice_of_tools_is_said(encode: Encode, choice: Any, expected: Json) -> None:
    config = encode({"tools": [TOOL, {**TOOL, "name": "other"}], "tool_choice": choice})[
        "toolConfig"
    ]
    assert config["toolChoice"] == expected
    assert len(config["tools"]) == (1 if "allowed_tools" in str(choice) else 2)


def test_no_tools_are_offered_to_one_who_must_not_call(encode: Encode, judge: Judge) -> None:
    request = {"tools": [TOOL], "tool_choice": "none"}
    assert "toolConfig" not in encode(request)
    assert judge(request) == {}
    assert judge({**request, "input": [ASK, CALL, OUTPUT]}) == {"tool_choice": "reject"}
    approval = {"type": "mcp_approval_request", "server_label": "s", "name": "n", "arguments": "{}"}
    verdicts = {"input[1].type": "emulate", "tool_choice": "reject"}
    assert judge({**request, "input": [ASK, approval]}) == verdicts


def test_a_choice_without_a_tool_to_choose_is_refused(encode: Encode) -> None:
    for choice in ("required", {"type": "function", "name": "tell"}):
        with pytest.raises(InvalidRequestError, match="tool_choice"):
            encode({"tool_choice": choice})


def test_only_claude_can_be_held_to_one_call(encode: Encode, judge: Judge) -> None:
    request = {"tools": [TOOL], "parallel_tool_calls": False, "tool_choice": "required"}
    assert judge(request) == {"parallel_tool_calls": "reject"}
    assert judge(request, CLAUDE) == {}
    body = encode(request, CLAUDE)
    assert "toolChoice" not in body["toolConfig"]
    choice = {"type": "any", "disable_parallel_tool_use": True}
    assert body["additionalModelRequestFields"]["tool_choice"] == choice


ENABLED = {"type": "enabled"}
ADAPTIVE = {"thinking": {"type": "adaptive", "display": "omitted"}}


def enabled(tokens: int) -> Json:
    return {"thinking": {**ENABLED, "budget_tokens": tokens}}


@pytest.mark.parametrize(
    ("model", "effort", "told"),
    [
        (CLAUDE, "high", (enabled(16384), None)),
        (CLAUDE, "none", ({"thinking": {"type": "disabled"}}, None)),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "low", (enabled(2048), None)),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", "max", (enabled(65536), None)),
        ("anthropic.claude-opus-4-6-v1", "low", (ADAPTIVE, "low")),
        ("anthropic.claude-opus-4-10-v1", "low", (ADAPTIVE, "low")),
        (NEW_CLAUDE, "xhigh", (ADAPTIVE, "xhigh")),
        (NEW_CLAUDE, "none", ({"thinking": {"type": "disabled"}}, None)),
        ("anthropic.claude-not-invented-yet", "max", (ADAPTIVE, "max")),
        (NOVA, "max", ({"reasoningConfig": {**ENABLED, "maxReasoningEffort": "high"}}, None)),
        (NOVA, "none", ({"reasoningConfig": {"type": "disabled"}}, None)),
        ("openai.gpt-oss-20b-1:0", "minimal", ({"reasoning_effort": "low"}, None)),
        ("qwen.qwen3-32b-v1:0", "medium", ({"reasoning_config": "low"}, None)),
        ("vendor.some-model", "medium", (None, "medium")),
    ],
)
def test_each_family_is_told_the_effort_in_its_words(
    encode: Encode, model: str, effort: str, told: tuple[Any, str | None]
) -> None:
    body = encode({"reasoning": {"effort": effort}}, model)
    fields = body.get("additionalModelRequestFields")
    assert (fields, body.get("outputConfig", {}).get("effort")) == told


def test_a_budget_leaves_room_for_the_answer(encode: Encode, judge: Judge) -> None:
    request = {"reasoning": {"effort": "high"}, "max_output_tokens": 3000}
    thinking = encode(request, CLAUDE)["additionalModelRequestFields"]["thinking"]
    assert thinking["budget_tokens"] == 2999
    small = {**request, "max_output_tokens": 1024}
    assert judge(small, CLAUDE) == {"reasoning.effort": "drop"}


def test_a_summary_of_the_thoughts_is_shown_where_it_can_be(encode: Encode, judge: Judge) -> None:
    request = {"reasoning": {"summary": "detailed"}}
    thinking = encode(request, NEW_CLAUDE)["additionalModelRequestFields"]["thinking"]
    assert thinking == {"type": "adaptive", "display": "summarized"}
    assert judge(request, NEW_CLAUDE) == {}
    assert judge(request, CLAUDE) == {"reasoning.summary": "drop"}


def test_an_effort_that_cannot_be_told_is_dropped(judge: Judge) -> None:
    for model in ("meta.llama3-8b-instruct-v1:0", "us.amazon.nova-pro-v1:0", "anthropic.claude-v2"):
        assert judge({"reasoning": {"effort": "low"}}, model) == {"reasoning.effort": "drop"}
    assert judge({"reasoning": {"effort": "none"}}) == {"reasoning.effort": "drop"}
    assert judge({"reasoning": {"effort": "huge"}}) == {"reasoning.effort": "drop"}


def test_samplers_go_where_they_are_taken(encode: Encode, judge: Judge) -> None:
    request = {"temperature": 0.0, "top_p": 0.5, "max_output_tokens": 9}
    config = encode(request, CLAUDE)["inferenceConfig"]
    assert config == {"temperature": 0.0, "topP": 0.5, "maxTokens": 9}
    assert judge(request, CLAUDE) == {}
    assert judge(request, NEW_CLAUDE) == {"temperature": "reject", "top_p": "reject"}
    assert judge({"temperature": 1.5}, CLAUDE) == {"temperature": "reject"}


def test_tiers_of_bedrock_pass_and_others_are_dropped(encode: Encode, judge: Judge) -> None:
    assert encode({"service_tier": "flex"})["serviceTier"] == {"type": "flex"}
    assert "serviceTier" not in encode({"service_tier": "auto"})
    assert judge({"service_tier": "ultrafast"}) == {"service_tier": "drop"}


def part_of(encode: Encode, part: Json, **quirks: Any) -> list[Json]:
    body = encode({"input": [{"role": "user", "content": [part]}]}, CLAUDE, **quirks)
    return body["messages"][0]["content"]


def test_images_and_documents_are_sent_as_data_or_from_s3(encode: Encode) -> None:
    image = part_of(encode, {"type": "input_image", "image_url": "data:image/jpg;base64,aGk="})
    assert image == [{"image": {"format": "jpeg", "source": {"bytes": "aGk="}}}]
    stored = part_of(encode, {"type": "input_image", "image_url": "s3://bucket/a.webp"})
    source = {"s3Location": {"uri": "s3://bucket/a.webp"}}
    assert stored == [{"image": {"format": "webp", "source": source}}]
    file = {"type": "input_file", "filename": "Q3_report (1).PDF", "file_data": "aGk="}
    text, document = part_of(encode, file, citations=True)
    assert document["document"] == {
        "format": "pdf",
        "name": "Q3 report (1)",
        "source": {"bytes": "aGk="},
        "citations": {"enabled": True},
    }
    assert text["text"]


def test_no_two_documents_have_one_name(encode: Encode) -> None:
    file = {"type": "input_file", "filename": "a.txt", "file_data": "aGk="}
    content = [{"type": "input_text", "text": "Compare."}, file, file]
    body = encode({"input": [{"role": "user", "content": content}, {**ASK}]})
    blocks = body["messages"][0]["content"]
    names = [block["document"]["name"] for block in blocks if "document" in block]
    assert names == ["a", "a (2)"]


def test_a_long_name_is_cut_and_missing_padding_is_added(encode: Encode) -> None:
    file = {"type": "input_file", "filename": f"{'n' * 300}.md", "file_data": "aGk"}
    _, block = part_of(encode, file)
    assert len(block["document"]["name"]) <= 200
    assert block["document"]["source"] == {"bytes": "aGk="}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_image", "image_url": "data:image/png;base64,"},
        {"type": "input_image", "image_url": "data:image/png;base64,aGk=a"},
        {"type": "input_image", "image_url": "data:image/png;base64,aGkaa"},
        {"type": "input_image", "image_url": "https://a.test/a.png"},
        {"type": "input_image", "image_url": "data:image/bmp;base64,aGk="},
        {"type": "input_image", "image_url": "data:image/png,raw"},
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_file", "file_url": "https://a.test/a.pdf"},
        {"type": "input_file", "filename": "a.exe", "file_data": "aGk="},
        {"type": "input_file", "file_id": "file_1"},
    ],
)
def test_what_bedrock_cannot_read_is_refused(judge: Judge, part: Json) -> None:
    request = {"input": [{"role": "user", "content": [part]}]}
    assert judge(request) == {"input[0].content[0].type": "reject"}


def test_cache_points_follow_what_they_end(encode: Encode, judge: Judge) -> None:
    part = {"type": "input_text", "text": "Long.", "prompt_cache_breakpoint": {"ttl": "12h"}}
    _, point = part_of(encode, part)
    assert point == {"cachePoint": {"type": "default", "ttl": "1h"}}
    told = {**OUTPUT, "output": [part]}
    body = encode({"input": [ASK, CALL, told], "tools": [TOOL]}, CLAUDE)
    assert [*map(list, body["messages"][-1]["content"])] == [["toolResult"], ["cachePoint"]]
    verdict = judge({"input": [{"role": "user", "content": [part]}]})
    assert verdict == {"input[0].content[0].prompt_cache_breakpoint": "drop"}


def test_tools_of_amazon_are_offered_where_they_are(encode: Encode, judge: Judge) -> None:
    tools = [{"type": "web_search"}, {"type": "code_interpreter", "container": {"type": "auto"}}]
    names = [
        tool["systemTool"]["name"] for tool in encode({"tools": tools}, NOVA)["toolConfig"]["tools"]
    ]
    assert names == ["nova_grounding", "nova_code_interpreter"]
    assert judge({"tools": tools}, NOVA) == {}
    assert judge({"tools": tools}, CLAUDE) == {"tools[0].type": "reject", "tools[1].type": "reject"}
    special = {
        "type": "web_search",
        "filters": {"allowed_domains": ["a.test"]},
        "search_context_size": "low",
    }
    assert judge({"tools": tools, "max_tool_calls": 1}, NOVA) == {"max_tool_calls": "drop"}
    held = {"type": "code_interpreter", "container": "cntr_1"}
    assert judge({"tools": [special, held]}, NOVA) == {
        "tools[0].filters": "reject",
        "tools[0].search_context_size": "drop",
        "tools[1].container": "reject",
    }


def test_a_guardrail_and_whatever_else_come_from_the_quirks(encode: Encode) -> None:
    guardrail = {"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT"}
    extra = {
        "performanceConfig": {"latency": "optimized"},
        "requestMetadata": {"team": "a"},
    }
    body = encode({"temperature": 0.5}, guardrail=guardrail, extra_body=extra)
    assert body["guardrailConfig"] == guardrail
    assert body["performanceConfig"] == {"latency": "optimized"}
    assert body["requestMetadata"] == {"team": "a"}
    assert body["inferenceConfig"] == {"temperature": 0.5}


def test_a_quirk_that_nobody_knows_is_refused(encode: Encode) -> None:
    with pytest.raises(ConfigError, match="quirks of 'alias'"):
        encode({}, gaurdrail={})


@pytest.mark.parametrize(
    "request_",
    [{"input": []}, {"input": " "}, {"input": [{"role": "assistant", "content": "Hi."}]}],
)
def test_a_conversation_without_its_user_is_refused(encode: Encode, request_: Json) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        encode(request_)
    assert raised.value.param == "input"


def test_a_request_that_is_nested_too_deeply_is_refused() -> None:
    schema: Json = {}
    for _ in range(3000):
        schema = {"properties": schema}
    call = call_of({"tools": [TOOL]})
    tool = FunctionTool(name="tell", parameters=schema)
    deep = replace(call, request=replace(call.request, tools=(tool,)))
    with pytest.raises(InvalidRequestError, match="deeply"):
        DIALECT.encode(deep)
