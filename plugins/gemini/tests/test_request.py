"""What a request asks for, as generateContent is told."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import ConfigError, InvalidRequestError, UpstreamProtocolError
from gateway.plugin import UpstreamRequest
from gateway.testing.preparing import Prepared
from gateway_gemini import GeminiDialect

Encode = Callable[..., dict[str, Any]]
Send = Callable[..., UpstreamRequest]

LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}}
TELL = {"type": "function", "name": "tell", "parameters": {"type": "object"}}


def test_a_stream_of_events_is_asked_for(send: Send) -> None:
    request = send({}, model="models/gemini-3-flash-preview")
    wanted = "/models/gemini-3-flash-preview:streamGenerateContent?alt=sse"
    assert request.url.endswith(f"/api{wanted}")


def test_the_name_of_a_model_cannot_lead_elsewhere(send: Send) -> None:
    request = send({}, model="../../files?key=1#")
    assert request.url.endswith(
        "/models/..%2F..%2Ffiles%3Fkey%3D1%23:streamGenerateContent?alt=sse"
    )


def test_settings_bear_googles_names(encode: Encode) -> None:
    settings = {"max_output_tokens": 7, "temperature": 0.0, "top_p": 0.5, "top_logprobs": 3}
    assert encode(settings)["generationConfig"] == {
        "maxOutputTokens": 7,
        "temperature": 0.0,
        "topP": 0.5,
        "responseLogprobs": True,
        "logprobs": 3,
    }
    assert "generationConfig" not in encode({})
    included = encode({"include": ["message.output_text.logprobs"], "top_logprobs": 0})
    assert included["generationConfig"] == {"responseLogprobs": True}


@pytest.mark.parametrize(
    ("model", "effort", "wanted"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-flash-lite", "minimal", {"thinkingBudget": 512}),
        ("gemini-2.5-flash", "max", {"thinkingBudget": 24576}),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 32768}),
        ("gemini-2.5-pro", "medium", {"thinkingBudget": 8192}),
        ("gemini-3-flash-preview", "none", {"thinkingLevel": "MINIMAL"}),
        ("gemini-3.6-flash", "medium", {"thinkingLevel": "MEDIUM"}),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "HIGH"}),
        ("gemini-3.1-pro-preview", "medium", {"thinkingLevel": "MEDIUM"}),
        ("gemini-3.1-pro-preview", "minimal", {"thinkingLevel": "LOW"}),
        ("gemini-17-ultra", "max", {"thinkingLevel": "HIGH"}),
        ("gemini-flash-latest", "minimal", {"thinkingLevel": "LOW"}),
        ("gemini-3.7-flash", "low", {"thinkingLevel": "LOW"}),
        ("somebody-tuned-this", "high", {"thinkingLevel": "HIGH"}),
    ],
)
def test_effort_is_a_level_or_a_budget(
    model: str, effort: str, wanted: dict[str, Any], encode: Encode
) -> None:
    body = encode({"reasoning": {"effort": effort}}, model=model)
    assert body["generationConfig"] == {"thinkingConfig": wanted}


def test_thoughts_are_told_to_who_wants_a_summary(encode: Encode) -> None:
    for wish in ({"summary": "auto"}, {"generate_summary": "concise"}):
        body = encode({"reasoning": wish})
        assert body["generationConfig"] == {"thinkingConfig": {"includeThoughts": True}}


@pytest.mark.parametrize("model", ["gemini-3-pro-preview", "gemini-2.5-pro", "gemini-pro-latest"])
def test_who_cannot_but_think_is_not_told_to_stop(
    model: str, judge: Callable[..., dict[str, str]]
) -> None:
    verdicts = judge({"reasoning": {"effort": "none"}}, model=model)
    assert verdicts == {"reasoning.effort": "reject"}


@pytest.mark.parametrize(
    "model", ["gemini-2.0-flash", "gemma-3-27b-it", "gemini-2.5-flash-preview-tts"]
)
def test_who_never_thinks_is_not_told_to(
    model: str, judge: Callable[..., dict[str, str]], encode: Encode
) -> None:
    request = {"reasoning": {"effort": "high", "summary": "auto"}}
    assert judge(request, model=model) == {"reasoning.effort": "drop", "reasoning.summary": "drop"}
    assert "generationConfig" not in encode(request, model=model)
    assert judge({"reasoning": {"effort": "none"}}, model=model) == {}


def test_an_operator_knows_better(encode: Encode) -> None:
    body = encode({"reasoning": {"effort": "max"}}, efforts={"max": "XHIGH"})
    assert body["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "XHIGH"}


def test_a_format_is_a_type_and_a_schema(encode: Encode) -> None:
    wanted = {"type": "json_schema", "name": "answer", "schema": {"type": "object"}}
    assert encode({"text": {"format": wanted}})["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": {"title": "answer", "type": "object"},
    }
    described = {**wanted, "description": "An answer."}
    schema = encode({"text": {"format": described}})["generationConfig"]["responseJsonSchema"]
    assert schema["description"] == "An answer."
    loose = encode({"text": {"format": {"type": "json_object"}}})
    assert loose["generationConfig"] == {"responseMimeType": "application/json"}


def test_a_schema_is_told_in_words_that_gemini_knows(encode: Encode) -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "not": {"type": ["string", "null"], "not": {"const": ""}},
            "kind": {"const": "a", "default": {"const": "kept"}},
            "both": {
                "allOf": [
                    {"$ref": "#/$defs/one", "required": ["x"]},
                    {"properties": {"x": {"const": 1}}, "required": ["y"]},
                    {"properties": {"y": {"type": "integer"}}},
                    "nonsense",
                ],
                "description": "Both.",
            },
            "list": {"items": {"anyOf": [{"const": 1}, {"if": {}, "type": "string"}]}},
        },
        "patternProperties": {"^x": {}},
        "required": ["not"],
        "$defs": {"one": {"type": "object", "propertyNames": {"pattern": "a"}}},
    }
    body = encode({"tools": [{**LOOK, "parameters": schema}]})
    assert body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] == {
        "type": "object",
        "properties": {
            "not": {"type": ["string", "null"]},
            "kind": {"enum": ["a"], "default": {"const": "kept"}},
            "both": {
                "$ref": "#/$defs/one",
                "description": "Both.",
                "properties": {"x": {"enum": [1]}, "y": {"type": "integer"}},
                "required": ["x", "y"],
            },
            "list": {"items": {"anyOf": [{"enum": [1]}, {"type": "string"}]}},
        },
        "required": ["not"],
        "$defs": {"one": {"type": "object"}},
    }


@pytest.mark.parametrize("broken", [{"allOf": 5}, {"allOf": [{"required": 5}], "required": ["a"]}])
def test_a_broken_schema_is_googles_to_refuse(broken: Any, encode: Encode) -> None:
    assert encode({"tools": [{**LOOK, "parameters": {"type": "object", **broken}}]})


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("auto", None),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "name": "tell"}, {"mode": "ANY", "allowedFunctionNames": ["tell"]}),
    ],
)
def test_a_choice_is_a_mode(choice: Any, wanted: Any, encode: Encode) -> None:
    body = encode({"tools": [LOOK, TELL], "tool_choice": choice})
    assert body.get("toolConfig", {}).get("functionCallingConfig") == wanted


def test_only_the_tools_that_are_allowed_are_offered(encode: Encode) -> None:
    tools = [LOOK, TELL, {"type": "web_search"}, {"type": "code_interpreter", "container": AUTO}]
    allowed = [{"type": "function", "name": "tell"}, {"type": "web_search"}]
    choice = {"type": "allowed_tools", "mode": "required", "tools": allowed}
    body = encode({"tools": tools, "tool_choice": choice})
    search, functions = body["tools"]
    assert search == {"googleSearch": {}}
    assert [one["name"] for one in functions["functionDeclarations"]] == ["tell"]
    assert body["toolConfig"]["functionCallingConfig"] == {"mode": "ANY"}
    only_search = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]}
    assert encode({"tools": tools, "tool_choice": only_search})["tools"] == [search]


@pytest.mark.parametrize(
    "choice",
    [
        "required",
        {"type": "function", "name": "look"},
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]},
    ],
)
def test_nobody_can_be_made_to_call_what_is_not_there(
    choice: Any, prepare: Callable[..., Prepared]
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        prepare({"tools": [{"type": "web_search"}, TELL][:1], "tool_choice": choice}).encode()
    assert caught.value.param == "tool_choice"


def test_strict_functions_hold_the_model_to_their_schemas(encode: Encode) -> None:
    body = encode({"tools": [LOOK, {**TELL, "strict": True}]})
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}


AUTO = {"type": "auto"}


@pytest.mark.parametrize(
    ("tool", "wanted"),
    [
        ({"type": "web_search"}, {"googleSearch": {}}),
        ({"type": "web_search_preview"}, {"googleSearch": {}}),
        ({"type": "code_interpreter", "container": AUTO}, {"codeExecution": {}}),
    ],
)
def test_hosted_tools_are_googles_own(tool: Any, wanted: Any, encode: Encode) -> None:
    assert encode({"tools": [tool]})["tools"] == [wanted]


@pytest.mark.parametrize(
    ("model", "provider", "is_asked"),
    [
        ("gemini-3.5-flash", "gemini", True),
        ("gemini-2.5-flash", "gemini", False),
        ("gemini-3.5-flash", "vertex", False),
    ],
)
def test_who_mixes_tools_of_both_kinds_is_shown_googles_work(
    model: str, provider: str, *, is_asked: bool, encode: Encode
) -> None:
    tools = [LOOK, {"type": "web_search"}]
    config = encode({"tools": tools}, model=model, provider=provider).get("toolConfig", {})
    assert config.get("includeServerSideToolInvocations", False) is is_asked
    for few in (tools[:1], tools[1:]):
        assert "toolConfig" not in encode({"tools": few}, model=model, provider=provider)


@pytest.mark.parametrize(
    ("tool", "environment"),
    [
        ({"type": "computer"}, "BROWSER"),
        ({"environment": "browser"}, "BROWSER"),
        ({"environment": "mac"}, "DESKTOP"),
    ],
)
def test_a_computer_is_a_browser_or_a_desktop(
    tool: dict[str, Any], environment: str, encode: Encode
) -> None:
    preview = {"type": "computer_use_preview", "display_width": 800, "display_height": 600}
    body = encode({"tools": [{**preview, **tool} if "environment" in tool else tool]})
    use = body["tools"][0]["computerUse"]
    assert use["environment"] == f"ENVIRONMENT_{environment}"
    assert "mouse_down" in use["excludedPredefinedFunctions"]


def test_an_operator_chooses_the_surroundings_of_the_computer(encode: Encode) -> None:
    body = encode({"tools": [{"type": "computer"}]}, computer_environment="desktop")
    assert body["tools"][0]["computerUse"]["environment"] == "ENVIRONMENT_DESKTOP"


def test_a_tier_has_googles_name(encode: Encode) -> None:
    assert encode({"service_tier": "flex"})["serviceTier"] == "flex"
    assert encode({"service_tier": "fast"})["serviceTier"] == "priority"
    assert "serviceTier" not in encode({"service_tier": "auto"})


def test_operators_add_tools_safety_settings_and_more(encode: Encode) -> None:
    setting = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}
    body = encode(
        {"temperature": 1.0},
        tools=[{"urlContext": {}}],
        safety_settings=[setting],
        extra_body={"generationConfig": {"topK": 3}, "toolConfig": {"retrievalConfig": {}}},
    )
    assert body["tools"] == [{"urlContext": {}}]
    assert body["safetySettings"] == [setting]
    assert body["generationConfig"] == {"temperature": 1.0, "topK": 3}
    assert body["toolConfig"] == {"retrievalConfig": {}}


def test_a_quirk_that_nobody_knows_is_told(encode: Encode) -> None:
    with pytest.raises(ConfigError, match=r"quirks of .*tols"):
        encode({}, tols=[])


def test_a_request_is_not_nested_without_end(prepare: Callable[..., Prepared]) -> None:
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(900):
        deep = {"type": "array", "items": deep}
    with pytest.raises(InvalidRequestError, match="nested too deeply"):
        prepare({"tools": [{**LOOK, "parameters": deep}]}).encode()


def test_tokens_are_counted_by_google_itself(prepare: Callable[..., Prepared]) -> None:
    dialect = GeminiDialect()
    asked = {"instructions": "Be brief.", "tools": [LOOK], "tool_choice": "none"}
    request = dialect.encode_count(prepare(asked).call)
    assert request.url.endswith("/models/gemini-3.5-flash:countTokens")
    body = msgspec.json.decode(request.body)["generateContentRequest"]
    assert body["model"] == "models/gemini-3.5-flash"
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert "toolConfig" in body


def test_vertex_counts_what_it_is_told_of(prepare: Callable[..., Prepared]) -> None:
    asked = {"instructions": "Be brief.", "tools": [LOOK], "tool_choice": "none"}
    request = GeminiDialect().encode_count(prepare(asked, provider="vertex").call)
    body = msgspec.json.decode(request.body)
    assert body.keys() == {"contents", "systemInstruction", "tools"}


def test_a_count_is_a_number() -> None:
    assert GeminiDialect().read_count(b'{"totalTokens": 31, "cachedContentTokenCount": 1}') == 31
    for body in (b"{}", b"nothing", b'{"totalTokens": "many"}'):
        with pytest.raises(UpstreamProtocolError):
            GeminiDialect().read_count(body)
