"""Answers of Gemini, invented where no recording has such a thing."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import (
    GatewayError,
    UpstreamAuthenticationError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamUnavailableError,
)
from gateway.plugin import (
    Annotation,
    Call,
    Delta,
    Failure,
    Finished,
    Frame,
    Item,
    Logprobs,
    Refusal,
    Text,
    Thought,
    ToolCall,
    Used,
)
from gateway.plugin.names import safe_name
from gateway.testing.cases import call_of
from gateway.types.request import decode_request
from gateway_gemini import GeminiDialect
from gateway_gemini.framing import GeminiFraming
from gateway_gemini.signatures import Carrier, read_carrier
from gateway_gemini.stream import GeminiTranslator

DIALECT = GeminiDialect()
ERROR = {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}


class Told(NamedTuple):
    """What an answer said, and how it failed if it did."""

    deltas: list[Delta]
    error: GatewayError | None

    def of(self, kind: type) -> list[Any]:
        return [delta for delta in self.deltas if type(delta) is kind]

    @property
    def text(self) -> str:
        return "".join(delta.text for delta in self.of(Text))

    @property
    def carriers(self) -> list[Carrier]:
        return [read_carrier(delta.carrier) for delta in self.of(Thought) if delta.carrier]


def call_for(**request: Any) -> Call:
    body = msgspec.json.encode({"model": "alias", "input": "Hello", **request})
    return call_of(decode_request(body), {})


def translator_for(**request: Any) -> GeminiTranslator:
    translator = DIALECT.translator(call_for(**request))
    assert isinstance(translator, GeminiTranslator)
    return translator


def read(*chunks: Any, **request: Any) -> Told:
    return play(translator_for(**request), chunks)


def play(translator: GeminiTranslator, chunks: Iterable[Any]) -> Told:
    deltas: list[Delta] = []
    try:
        for chunk in chunks:
            for delta in translator.feed(Frame(msgspec.json.encode(chunk))):
                deltas.append(delta)  # noqa: PERF402 - what comes before a failure counts
    except GatewayError as error:
        return Told(deltas, error)
    return Told(deltas, None)


def chunk(*parts: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, **more}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate]}


def end(reason: str = "STOP", **more: Any) -> dict[str, Any]:
    return {"candidates": [{"finishReason": reason, **more}]}


@pytest.mark.parametrize(
    "reason",
    [
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
    ],
)
def test_a_filter_that_let_nothing_through_is_a_refusal(reason: str) -> None:
    told = read(end(reason, finishMessage="Not this."))
    assert told.deltas == [Refusal("Not this."), Finished("content_filter")]
    assert read(end(reason)).deltas[0] == Refusal(f"blocked: {reason}")


def test_thoughts_are_no_answer_that_a_filter_let_through() -> None:
    told = read(chunk({"text": "Hm.", "thought": True}, {"text": ""}, reason="SAFETY"))
    assert told.deltas[1:] == [Refusal("blocked: SAFETY"), Finished("content_filter")]


def test_a_filter_in_mid_sentence_keeps_what_was_said() -> None:
    told = read(chunk({"text": "It was "}), end("RECITATION"))
    assert told.deltas == [Text("It was "), Finished("content_filter")]


@pytest.mark.parametrize(
    "reason",
    [
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "LANGUAGE",
        "NO_IMAGE",
        "IMAGE_OTHER",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
    ],
)
@pytest.mark.parametrize("parts", [(), ({"text": "Well"},)])
def test_a_model_that_broke_down_has_failed(reason: str, parts: Any) -> None:
    told = read(chunk(*parts, reason=reason, finishMessage="It is broken."))
    assert isinstance(told.error, UpstreamUnavailableError)
    assert reason in told.error.message
    assert "It is broken." in told.error.message
    assert not told.of(Finished)


@pytest.mark.parametrize("reason", ["OTHER", "NOT_INVENTED_YET", "FINISH_REASON_UNSPECIFIED"])
def test_an_unknown_reason_is_an_end_only_after_an_answer(reason: str) -> None:
    assert read(chunk({"text": "Well."}), end(reason)).deltas[-1] == Finished("stop")
    assert isinstance(read(end(reason)).error, UpstreamProtocolError)


def test_an_answer_of_nothing_is_an_answer() -> None:
    assert read(end()).deltas == [Finished("stop")]


@pytest.mark.parametrize("shape", [ERROR, [ERROR]])
def test_an_error_inside_an_answer_comes_after_what_was_said(shape: Any) -> None:
    told = read(chunk({"text": "Hel"}), shape)
    assert told.text == "Hel"
    assert isinstance(told.error, UpstreamRateLimitError)
    assert told.error.message == "upstream: Slow down."


def test_an_error_without_a_number_is_one_all_the_same() -> None:
    assert isinstance(read({"error": "busy"}).error, UpstreamUnavailableError)


NULLS: dict[str, Any] = {
    "text": None,
    "thought": None,
    "thoughtSignature": None,
    "functionCall": None,
    "inlineData": None,
    "executableCode": None,
    "codeExecutionResult": None,
    "toolCall": None,
}
NULL_CALL = {"id": None, "name": "a", "args": {"x": None}, "partialArgs": None}
NULL_SUPPORT = {"segment": None, "groundingChunkIndices": None}
NULL_GROUNDS = {
    "groundingChunks": [{"web": None, "maps": None, "retrievedContext": None}],
    "groundingSupports": [NULL_SUPPORT, {"segment": {"startIndex": None, "endIndex": 3}}],
    "webSearchQueries": None,
}


def test_nulls_are_nothing() -> None:
    """Libraries that write down what they have read name all that was not there."""
    parts = [NULLS, {**NULLS, "text": "Hi."}, {**NULLS, "functionCall": NULL_CALL}]
    candidate = {
        "index": None,
        "content": {"parts": parts, "role": None},
        "finishReason": "STOP",
        "finishMessage": None,
        "groundingMetadata": NULL_GROUNDS,
        "citationMetadata": {"citations": None, "citationSources": None},
        "urlContextMetadata": {"urlMetadata": None},
        "logprobsResult": {"chosenCandidates": None, "topCandidates": None},
    }
    begun = {"content": None, "finishReason": None, "groundingMetadata": None, "index": 0}
    feedback = {"blockReason": None, "blockReasonMessage": None}
    told = read(
        {"candidates": None, "promptFeedback": feedback, "usageMetadata": None, "error": None},
        {"candidates": [begun, {"content": {"parts": None}}], "promptFeedback": None},
        {"candidates": [candidate]},
    )
    assert [*filter(lambda delta: not isinstance(delta, Logprobs), told.deltas)] == [
        Text("Hi."),
        ToolCall(1, None, "a", '{"x":null}'),
        Finished("stop"),
    ]


def test_a_token_that_was_impossible_has_a_number_as_at_openai() -> None:
    chosen = [{"token": "a", "logProbability": "-Infinity"}, {"logProbability": 0}, {}]
    [told] = read(chunk({"text": "a"}, logprobsResult={"chosenCandidates": chosen})).of(Logprobs)
    assert [one.logprob for one in told.logprobs] == [-9999.0, 0.0, 0.0]


def test_only_the_first_of_several_candidates_counts() -> None:
    second = {"content": {"parts": [{"text": "B"}]}, "index": 1, "finishReason": "SAFETY"}
    first = {"content": {"parts": [{"text": "A"}]}, "index": 0, "finishReason": "STOP"}
    assert read({"candidates": [second, first]}).deltas == [Text("A"), Finished("stop")]


def test_parallel_calls_stay_apart_and_only_the_first_is_signed() -> None:
    parts: list[dict[str, Any]] = [
        {"functionCall": {"name": "a", "args": {"x": 1}}, "thoughtSignature": "sig"},
        {"functionCall": {"name": "b"}},
        {"functionCall": {"name": "a", "args": {"x": 2}, "id": "given"}},
    ]
    told = read(chunk(*parts, reason="STOP"))
    assert told.deltas == [
        Thought(key=0, carrier='{"next":"sig"}'),
        ToolCall(1, None, "a", '{"x":1}'),
        ToolCall(2, None, "b", "{}"),
        ToolCall(3, "given", "a", '{"x":2}'),
        Finished("stop"),
    ]


def test_a_call_bears_the_name_that_the_client_gave() -> None:
    call = {"functionCall": {"name": safe_name("look up")}}
    told = read(chunk(call, reason="STOP"), tools=[{"type": "function", "name": "look up"}])
    assert [call.name for call in told.of(ToolCall)] == ["look up"]


def test_calls_that_are_signed_one_by_one_keep_their_own_signatures() -> None:
    parts = [{"functionCall": {"name": n}, "thoughtSignature": f"sig-{n}"} for n in "ab"]
    told = read(chunk(*parts, reason="STOP"))
    kinds = [type(delta) for delta in told.deltas]
    assert kinds == [Thought, ToolCall, Thought, ToolCall, Finished]
    assert [carrier.next for carrier in told.carriers] == ["sig-a", "sig-b"]


def test_a_signature_in_mid_text_signs_what_was_said_so_far() -> None:
    signed = {"text": "lo", "thoughtSignature": "sig"}
    told = read(chunk({"text": "Hel"}), chunk(signed), chunk({"text": " again"}, reason="STOP"))
    assert told.deltas == [
        Text("Hel"),
        Text("lo"),
        Thought(key=0, carrier='{"previous":"sig","previous_length":2}'),
        Text(" again"),
        Finished("stop"),
    ]


def test_a_signed_thought_comes_back_as_it_was() -> None:
    thought = {"text": "Hm.", "thought": True, "thoughtSignature": "sig"}
    told = read(chunk(thought, {"functionCall": {"name": "a"}, "thoughtSignature": "next"}), end())
    assert told.deltas[0] == Thought("Hm.", 0, "summary")
    assert told.carriers == [Carrier(parts=(thought,), next="next")]


def test_a_part_of_an_unknown_kind_comes_back_as_it_was() -> None:
    part = {"notInventedYet": {"a": [1]}, "thoughtSignature": "sig"}
    told = read(chunk({"text": "A"}, part, {"text": "B"}, reason="STOP"))
    assert told.carriers == [Carrier(parts=(part,))]
    assert [type(delta) for delta in told.deltas] == [Text, Thought, Text, Finished]


def test_a_call_that_never_ends_is_told_as_far_as_it_came() -> None:
    begun = {"functionCall": {"name": "a", "args": {"x": 1}, "willContinue": True}}
    more = {"partialArgs": [{"jsonPath": "$.y", "stringValue": "ab"}], "willContinue": True}
    told = read(chunk(begun), chunk({"functionCall": more}), end("MAX_TOKENS"))
    assert told.deltas == [
        ToolCall(1, None, "a", '{"x":1,"y":"ab"}'),
        Finished("max_output_tokens"),
    ]


@pytest.mark.parametrize("path", ["$", "", "$.a.b", "$[0]", "$.list[7]", "$" + ".a" * 9999])
def test_an_argument_for_an_impossible_place_is_the_upstreams_fault(path: str) -> None:
    said = {"name": "f", "args": {"a": 1, "list": []}}
    piece = {"jsonPath": path, "numberValue": 1}
    told = read(chunk({"functionCall": {**said, "partialArgs": [piece]}}))
    assert isinstance(told.error, UpstreamProtocolError)


def test_the_end_of_a_call_that_never_began_means_nothing() -> None:
    assert read(chunk({"functionCall": {}}, reason="STOP")).deltas == [Finished("stop")]


@pytest.mark.parametrize("outcome", ["OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED"])
def test_code_that_failed_says_so(outcome: str) -> None:
    code = {"executableCode": {"code": "1 / 0"}}
    result = {"codeExecutionResult": {"outcome": outcome, "output": "ZeroDivisionError"}}
    [told] = read(chunk(code, result, reason="STOP")).of(Item)
    assert (told.item.status, told.item.code, told.item.outputs) == ("failed", "1 / 0", None)


def test_code_that_ran_twice_is_two_calls_with_their_own_state() -> None:
    first, second = ({"executableCode": {"code": code}} for code in ("1", "2"))
    result = {"codeExecutionResult": {"outcome": "OUTCOME_OK"}}
    told = read(chunk(first, result, second, result, reason="STOP"))
    assert [one.item.code for one in told.of(Item)] == ["1", "2"]
    assert [one.parts for one in told.carriers] == [(first, result), (second, result)]


def test_a_tool_of_googles_is_told_beside_the_clients_own() -> None:
    asked = {"toolCall": {"id": "t", "toolType": "FILE_SEARCH", "args": {"queries": ["paris"]}}}
    answered = {"toolResponse": {"id": "t", "toolType": "FILE_SEARCH"}, "thoughtSignature": "s"}
    call = {"functionCall": {"name": "a"}, "thoughtSignature": "n"}
    told = read(chunk(asked, answered, call, reason="STOP"))
    assert told.carriers == [Carrier(parts=(asked, answered), next="n")]
    assert [type(delta) for delta in told.deltas] == [Thought, Item, ToolCall, Finished]
    assert told.of(Item)[0].item.queries == ("paris",)


def grounded(*segments: dict[str, Any]) -> dict[str, Any]:
    supports = [{"segment": one, "groundingChunkIndices": [0, 1, -1]} for one in segments]
    source = {"web": {"uri": "https://a.test", "title": "A"}}
    return {"groundingMetadata": {"groundingChunks": [source], "groundingSupports": supports}}


def test_sources_are_found_by_their_text_if_the_offsets_count_from_another_part() -> None:
    told = read(
        chunk({"text": "Ä. "}, {"text": "東京 wins."}),
        end(**grounded({"partIndex": 1, "endIndex": 11, "text": "東京 wins"})),
    )
    [cited] = told.of(Annotation)
    assert (cited.annotation.start_index, cited.annotation.end_index) == (3, 10)


def test_offsets_without_their_text_count_bytes() -> None:
    told = read(chunk({"text": "Ä東 wins"}), end(**grounded({"startIndex": 2, "endIndex": 5})))
    [cited] = told.of(Annotation)
    assert (cited.annotation.start_index, cited.annotation.end_index) == (1, 2)


def test_sources_of_what_was_not_said_are_not_told() -> None:
    told = read(
        chunk({"text": "Hi."}),
        end(**grounded({"endIndex": 9, "text": "elsewhere"}, {"endIndex": 99}, {})),
    )
    assert told.deltas == [Text("Hi."), Finished("stop")]


def test_sources_stand_with_the_text_before_a_call() -> None:
    call = {"functionCall": {"name": "a"}}
    said = chunk({"text": "Hi."}, call, reason="STOP", **grounded({"endIndex": 3, "text": "Hi."}))
    kinds = [type(delta) for delta in read(said).deltas]
    assert kinds == [Text, Annotation, ToolCall, Finished]


def test_usage_keeps_what_a_later_report_leaves_out() -> None:
    reports = [
        {"promptTokenCount": 10, "cachedContentTokenCount": 4, "trafficType": "ON_DEMAND"},
        {"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 5},
        {"toolUsePromptTokenCount": 7, "candidatesTokenCount": 6},
    ]
    usage = read(*({"usageMetadata": report} for report in reports)).of(Used)[-1].usage
    assert (usage.input_tokens, usage.input_tokens_details.cached_tokens) == (17, 4)
    assert (usage.output_tokens, usage.output_tokens_details.reasoning_tokens) == (11, 5)
    assert usage.total_tokens == 28


def test_an_answer_that_pauses_is_asked_for_more_of_the_same() -> None:
    translator = translator_for()
    assert translator.continuation() is None
    usage = {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2}}
    first = play(
        translator,
        [chunk({"text": "Hel"}), {**end("CONTINUATION", continuationToken="dG9rZW4="), **usage}],
    )
    assert first.of(Finished) == []
    again = translator.continuation()
    assert again is not None
    body = msgspec.json.decode(again.body)
    assert body.pop("continuationToken") == "dG9rZW4="
    assert body == msgspec.json.decode(DIALECT.encode(call_for()).body)
    second = play(translator, [{**chunk({"text": "lo"}, reason="STOP"), **usage}])
    assert second.deltas[1:] == [Text("lo"), Finished("stop")]
    assert second.of(Used)[-1].usage.total_tokens == 14
    assert translator.continuation() is None


def test_an_answer_that_pauses_forever_ends() -> None:
    translator = translator_for()
    pause = end("CONTINUATION", continuationToken="dG9rZW4=")
    for _ in range(10):
        assert play(translator, [pause]).deltas == []
        assert translator.continuation() is not None
    assert play(translator, [pause]).deltas == [Finished("max_output_tokens")]
    assert translator.continuation() is None


def test_a_pause_without_a_way_on_is_an_end() -> None:
    assert read(end("CONTINUATION")).deltas == [Finished("max_output_tokens")]


def screen(**request: Any) -> dict[str, Any]:
    return {"tools": [{"type": "computer"}], **request}


def test_a_call_about_the_screen_is_a_computer_call_with_its_signature() -> None:
    call = {"functionCall": {"name": "take_screenshot", "id": "c"}, "thoughtSignature": "sig"}
    told = read(chunk(call, reason="STOP"), **screen())
    assert told.carriers == [Carrier(next="sig")]
    [done] = told.of(Item)
    assert (done.item.type, done.item.call_id) == ("computer_call", "c")


def test_calls_about_the_screen_without_ids_get_some_of_their_own() -> None:
    call = {"functionCall": {"name": "wait_5_seconds"}}
    told = read(chunk(call, call, reason="STOP"), **screen())
    first, second = (done.item.call_id for done in told.of(Item))
    assert first != second


def test_without_a_screen_such_a_call_is_the_clients_function() -> None:
    told = read(chunk({"functionCall": {"name": "click", "args": {"x": 1}}}, reason="STOP"))
    assert told.of(ToolCall) == [ToolCall(1, None, "click", '{"x":1}')]


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_json_that_calls_itself_an_event_stream_is_read(size: int) -> None:
    body = b'\n {\n  "error": {\n    "code": 503,\n    "message": "Overloaded."\n  }\n}\n'
    framing = GeminiFraming()
    frames = [f for at in range(0, len(body), size) for f in framing.feed(body[at : at + size])]
    frames += framing.close()
    assert [msgspec.json.decode(frame.data)["error"]["code"] for frame in frames] == [503]


def test_events_are_read_as_events() -> None:
    framing = GeminiFraming()
    assert framing.feed(b'data: {"a": 1}\r\n\r\ndata: {"b"') == [Frame(b'{"a": 1}')]
    assert framing.feed(b": 2}\r\n\r\n") == [Frame(b'{"b": 2}')]
    assert framing.close() == []


@pytest.mark.parametrize("data", [b"[]", b"7", b'"a"', b"[7]", b'{"candidates": 7}', b"[" * 10_000])
def test_a_frame_of_another_shape_is_the_upstreams_fault(data: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        list(translator_for().feed(Frame(data)))


def test_a_wrong_key_is_told_as_one() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    error = {"code": 400, "message": "API key not valid.", "details": details}
    body = msgspec.json.encode({"error": error})
    assert isinstance(DIALECT.error(Failure(status=400, body=body)), UpstreamAuthenticationError)


def quota(**violation: str) -> Failure:
    details = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"},
    ]
    message = "You exceeded your current quota, please check your plan and billing details."
    error = {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}
    return Failure(status=429, body=msgspec.json.encode({"error": error}))


def test_a_quota_that_opens_again_in_seconds_is_a_rate_limit() -> None:
    error = DIALECT.error(quota(quotaId="GenerateRequestsPerMinutePerProjectPerModel"))
    assert isinstance(error, UpstreamRateLimitError)
    assert (error.type, error.code) == ("rate_limit_error", "rate_limit_exceeded")
    assert error.retry_after == 34.5
    assert error.headers == {"retry-after": "35"}


def test_an_overload_that_says_when_to_come_back_is_no_rate_limit() -> None:
    failure = quota(quotaId="any")
    error = DIALECT.error(Failure(status=503, body=failure.body))
    assert isinstance(error, UpstreamUnavailableError)
    assert (error.type, error.code, error.retry_after) == ("server_error", "overloaded", 34.5)


def test_a_quota_of_the_day_is_spent() -> None:
    error = DIALECT.error(quota(quotaId="GenerateRequestsPerDayPerProjectPerModel-FreeTier"))
    assert error.code == "insufficient_quota"
    assert error.headers["x-should-retry"] == "false"


PARTS = {
    *("text", "thought", "thoughtSignature", "functionCall", "inlineData", "toolCall"),
    *("executableCode", "codeExecutionResult", "toolResponse"),
}
MEMBERS = {
    *("id", "name", "args", "partialArgs", "willContinue", "jsonPath", "stringValue", "data"),
    *("mimeType", "code", "outcome", "output", "toolType", "queries"),
}
ARGUMENTS = {
    *("x", "y", "start_x", "destination_x", "text", "url", "key", "keys", "direction"),
    *("magnitude", "magnitude_in_pixels", "press_enter", "safety_decision"),
}
FUNCTIONS = ["click", "type_text_at", "scroll", "scroll_at", "drag_and_drop", "hotkey", "navigate"]
PLAIN = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "$.a", "left"])


def objects(names: set[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(sorted(names)), values, max_size=4)


VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=2) | objects(MEMBERS, inner), max_leaves=6
)
CALLS = st.fixed_dictionaries(
    {"name": st.sampled_from(FUNCTIONS), "args": objects(ARGUMENTS, VALUES)}
)


@given(
    parts=st.lists(
        objects(PARTS, VALUES) | st.fixed_dictionaries({"functionCall": CALLS}), max_size=4
    )
)
def test_whatever_a_part_holds_is_told_or_is_the_upstreams_fault(parts: list[Any]) -> None:
    try:
        told = read(chunk(*parts, reason="STOP"), **screen())
    except msgspec.ValidationError:
        return
    assert told.error is None or isinstance(told.error, UpstreamProtocolError)
    assert told.error or told.deltas[-1] == Finished("stop")
