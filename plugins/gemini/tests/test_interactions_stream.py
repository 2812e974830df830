"""Answers of the Interactions API, invented."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import pytest

from gateway.errors import (
    GatewayError,
    UpstreamAuthenticationError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
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
    Refusal,
    Text,
    Thought,
    ToolCall,
    Used,
)
from gateway.plugin.names import safe_name
from gateway.testing.cases import call_of
from gateway.types.request import decode_request
from gateway_gemini import InteractionsDialect
from gateway_gemini.interactions.stream import InteractionsTranslator
from gateway_gemini.signatures import Carrier, read_carrier

DIALECT = InteractionsDialect()
SCREEN = {"tools": [{"type": "computer"}]}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)


class Told(NamedTuple):
    """What an answer said, and how it failed if it did."""

    deltas: list[Delta]
    error: GatewayError | None

    def of(self, kind: type) -> list[Any]:
        return [delta for delta in self.deltas if type(delta) is kind]

    @property
    def carriers(self) -> list[Carrier]:
        return [read_carrier(thought.carrier) for thought in self.of(Thought) if thought.carrier]


def call_for(**request: Any) -> Call:
    body = msgspec.json.encode({"model": "alias", "input": "Hello", **request})
    return call_of(decode_request(body), {})


def translator_for(**request: Any) -> InteractionsTranslator:
    translator = DIALECT.translator(call_for(**request))
    assert isinstance(translator, InteractionsTranslator)
    return translator


def play(translator: InteractionsTranslator, events: Iterable[Any]) -> Told:
    deltas: list[Delta] = []
    try:
        for event in events:
            for delta in translator.feed(Frame(msgspec.json.encode(event))):
                deltas.append(delta)  # noqa: PERF402 - what comes before a failure counts
    except GatewayError as error:
        return Told(deltas, error)
    return Told(deltas, None)


def read(*events: Any, **request: Any) -> Told:
    return play(translator_for(**request), events)


def start(kind: str, index: int = 0, **step: Any) -> dict[str, Any]:
    return {"event_type": "step.start", "index": index, "step": {"type": kind, **step}}


def more(kind: str, index: int = 0, **delta: Any) -> dict[str, Any]:
    return {"event_type": "step.delta", "index": index, "delta": {"type": kind, **delta}}


def stop(index: int = 0) -> dict[str, Any]:
    return {"event_type": "step.stop", "index": index}


def end(status: str = "completed", **interaction: Any) -> dict[str, Any]:
    told = {"id": "v1_invented", "status": status, **interaction}
    return {"event_type": "interaction.completed", "interaction": told}


def whole(*steps: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"id": "v1_invented", "status": status, "steps": steps, **more}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "model_output", "content": [{"type": "text", "text": words, **more}]}


def function(call_id: str, name: str = "look", **arguments: Any) -> dict[str, Any]:
    return {"type": "function_call", "id": call_id, "name": name, "arguments": arguments}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("completed", "stop"),
        ("requires_action", "stop"),
        ("incomplete", "max_output_tokens"),
        ("budget_exceeded", "max_output_tokens"),
        ("requires_continuation", "max_output_tokens"),
        ("not_invented_yet", "stop"),
    ],
)
def test_every_status_of_an_answer_is_an_end(status: str, reason: str) -> None:
    told = read(whole(text("Hello"), status=status))
    assert told.deltas == [Text("Hello", 1), Finished(reason)]  # type: ignore[arg-type] - it is one


@pytest.mark.parametrize("status", ["failed", "cancelled", "in_progress", "queued"])
def test_an_answer_that_did_not_come_is_a_failure(status: str) -> None:
    assert isinstance(read(end(status)).error, UpstreamUnavailableError)


def test_an_unknown_status_without_an_answer_is_no_end() -> None:
    assert read(end("not_invented_yet")) == Told([], None)


def test_a_failure_says_what_the_interaction_says() -> None:
    error = {"code": "https://google.test/errors/service_unavailable", "message": "Overloaded."}
    told = read(end("failed", errors=[error]))
    assert isinstance(told.error, UpstreamUnavailableError)
    assert told.error.status == 503
    assert "Overloaded." in told.error.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("gateway_timeout", UpstreamTimeoutError),
        ("https://google.test/errors/gateway_timeout", UpstreamTimeoutError),
        ("rate_limit_exceeded", UpstreamRateLimitError),
        ("authentication", UpstreamAuthenticationError),
        ("invalid_request", UpstreamRejectedError),
        ("api_error", UpstreamUnavailableError),
        (429, UpstreamRateLimitError),
        (None, UpstreamUnavailableError),
    ],
)
def test_an_error_in_a_stream_is_told_by_its_name(code: Any, kind: type[GatewayError]) -> None:
    event = {"event_type": "error", "error": {"code": code, "message": "So it is."}}
    told = read(start("model_output"), more("text", text="Hel"), event)
    assert told.deltas == [Text("Hel", 1)]
    assert type(told.error) is kind


def test_an_error_in_a_step_fails_the_answer() -> None:
    told = read(whole({**text("Hel"), "error": {"code": 13, "message": "It broke."}}))
    assert isinstance(told.error, UpstreamUnavailableError)
    assert "It broke." in told.error.message


@pytest.mark.parametrize("code", ["prohibited_content", "https://google.test/errors/safety"])
def test_a_blocked_answer_is_a_refusal(code: str) -> None:
    error = {"code": code, "message": "Not that."}
    refused = [Refusal("Not that."), Finished("content_filter")]
    assert read(end("failed", errors=[error])).deltas == refused
    assert read({"event_type": "error", "error": error}).deltas == refused
    cut = read(start("model_output"), more("text", text="Hel"), end("failed", errors=[error]))
    assert cut.deltas == [Text("Hel", 1), Finished("content_filter")]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'[{"error":{"code":400,"message":"API key not valid."}}]', "authentication"),
        (429, b'{"error":{"code":"quota_exceeded","message":"Enough."}}', "insufficient_quota"),
        (429, b'{"error":{"code":"rate_limit_exceeded","message":"Slow."}}', "rate_limit_exceeded"),
        (400, b'{"error":{"code":"https://google.test/e/out_of_range"}}', "out_of_range"),
    ],
)
def test_a_refused_request_is_told_by_its_code(status: int, body: bytes, kind: str) -> None:
    error = DIALECT.error(Failure(status=status, body=body))
    assert kind in str(error.code)


def test_a_thought_comes_back_as_it_was() -> None:
    told = read(
        start("thought"),
        more("thought_summary", content={"type": "text", "text": "Hm. "}),
        more("thought_summary", content={"type": "image", "data": "AAAA"}),
        more("thought_signature", signature="YQ=="),
        more("thought_signature", signature=""),
        stop(),
    )
    assert told.deltas[0] == Thought("Hm. ", 1, "summary")
    summary = [{"type": "text", "text": "Hm. "}, {"type": "image", "data": "AAAA"}]
    step = {"type": "thought", "summary": summary, "signature": "YQ=="}
    assert told.carriers == [Carrier(parts=(step,))]


def test_arguments_are_told_as_they_come() -> None:
    told = read(
        start("function_call", id="c", name="look", arguments={}),
        more("arguments_delta", arguments='{"at":'),
        more("arguments_delta", arguments="1}"),
        stop(),
        end("requires_action"),
    )
    assert told.deltas == [
        ToolCall(1, "c", "look"),
        ToolCall(1, arguments='{"at":'),
        ToolCall(1, arguments="1}"),
        Finished("stop"),
    ]


def test_arguments_that_came_with_the_call_are_told_at_its_end() -> None:
    told = read(start("function_call", id="c", name="look", arguments={"at": 1}), stop())
    assert told.deltas == [ToolCall(1, "c", "look"), ToolCall(1, arguments='{"at":1}')]


@pytest.mark.parametrize("tools", [(), ({"type": "computer"},)])
def test_a_call_bears_the_name_that_the_client_gave(tools: tuple[dict[str, Any], ...]) -> None:
    call = function("c", safe_name("look up"))
    told = read(whole(call), tools=[{"type": "function", "name": "look up"}, *tools])
    assert [call.name for call in told.of(ToolCall) if call.name] == ["look up"]


def test_an_id_that_an_earlier_call_had_is_not_used_again() -> None:
    history = [
        {"role": "user", "content": "?"},
        {"type": "function_call", "call_id": "call_7", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_7", "output": "seen"},
    ]
    told = read(whole(function("call_7"), function("call_8")), input=history)
    assert [call.call_id for call in told.of(ToolCall) if call.name] == [None, "call_8"]


def test_steps_of_googles_tools_come_back_together_ahead_of_their_items() -> None:
    steps = (
        {"type": "google_search_call", "id": "a", "arguments": {"queries": ["x", "y"]}},
        {"type": "google_search_call", "id": "b", "arguments": {"queries": ["z"]}},
        {"type": "google_search_result", "call_id": "b", "result": [], "is_error": True},
        {"type": "google_search_result", "call_id": "a", "result": [{"url": "https://a.test"}]},
        {"type": "google_maps_call", "id": "c", "arguments": {"queries": ["z"]}},
        {"type": "not_invented_yet", "what": 1},
    )
    told = read(whole(*steps, text("So.")), include=["web_search_call.action.sources"])
    assert told.carriers == [Carrier(parts=steps)]
    first, second = (item.item for item in told.of(Item))
    assert first.status == "completed"
    assert first.action == {
        "type": "search",
        "query": "x",
        "queries": ["x", "y"],
        "sources": [{"type": "url", "url": "https://a.test"}],
    }
    assert second.status == "failed"
    assert told.deltas[-2:] == [Text("So.", 7), Finished("stop")]


def test_streamed_steps_of_googles_tools_are_put_together() -> None:
    told = read(
        start("code_execution_call", id="a", signature=""),
        more("code_execution_call", arguments={"code": "1"}, signature="YQ=="),
        stop(),
        start("code_execution_result", 1, call_id="a", signature=""),
        more("code_execution_result", 1, result="1\n", is_error=False, signature="Yg=="),
        stop(1),
        end(),
        include=["code_interpreter_call.outputs"],
    )
    [carrier] = told.carriers
    assert [part["signature"] for part in carrier.parts] == ["YQ==", "Yg=="]
    [done] = told.of(Item)
    assert (done.item.code, done.item.status) == ("1", "completed")
    assert done.item.outputs == ({"type": "logs", "logs": "1\n"},)


def test_what_was_asked_is_not_what_the_model_says() -> None:
    echo = {"type": "user_input", "content": [{"type": "text", "text": "?"}]}
    told = read(whole(echo, {"type": "function_result", "call_id": "a", "result": "b"}, text("!")))
    assert told.of(Text) == [Text("!", 3)]
    assert told.carriers == []


def test_places_are_counted_in_characters_of_the_message() -> None:
    cited = {"type": "url_citation", "url": "https://a.test", "start_index": 3, "end_index": 7}
    image = {"type": "image", "data": "AAAA", "mime_type": "image/jpeg"}
    contents = [
        {"type": "text", "text": "Äh größer.", "annotations": [cited]},
        image,
        {"type": "text", "text": "Nö, gut", "annotations": [{**cited, "title": "A"}]},
    ]
    told = read(whole({"type": "model_output", "content": contents}))
    first, second = (one.annotation for one in told.of(Annotation))
    assert (first.start_index, first.end_index) == (2, 5)
    assert (second.start_index, second.end_index, second.title) == (2, 6, "A")
    assert told.of(Item)[0].item.output_format == "jpeg"


def test_a_source_without_a_place_is_one_of_all_the_text() -> None:
    cited = {"type": "url_citation", "url": "https://a.test"}
    [one] = read(whole(text("Größer", annotations=[cited, {"type": "word_info"}]))).of(Annotation)
    assert (one.annotation.start_index, one.annotation.end_index) == (0, 6)


def test_an_answer_that_pauses_goes_on_in_the_same_message() -> None:
    translator = translator_for()
    assert translator.continuation() is None
    usage = {"total_input_tokens": 5, "total_output_tokens": 2, "total_thought_tokens": 1}
    pause = end("requires_continuation", continuation_token="dG9rZW4=", usage=usage)
    first = play(translator, [start("model_output"), more("text", text="Grö"), pause])
    assert first.of(Finished) == []
    again = translator.continuation()
    assert again is not None
    body = msgspec.json.decode(again.body)
    assert body.pop("continuation_token") == "dG9rZW4="
    assert body == msgspec.json.decode(DIALECT.encode(call_for()).body)
    cited = {"type": "url_citation", "url": "https://a.test", "start_index": 0, "end_index": 3}
    second = play(
        translator,
        [
            start("model_output"),
            more("text", text="ßer"),
            more("text_annotation_delta", annotations=[cited]),
            stop(),
            start("thought", 1, signature="YQ=="),
            stop(1),
            start("model_output", 2),
            more("text", 2, text="!"),
            end(usage=usage),
        ],
    )
    assert [(said.text, said.key) for said in second.of(Text)] == [("ßer", 1), ("!", 4)]
    [one] = second.of(Annotation)
    assert (one.annotation.start_index, one.annotation.end_index, one.key) == (3, 5, 1)
    assert second.of(Used)[-1].usage.total_tokens == 16
    assert translator.continuation() is None


def test_an_answer_that_pauses_forever_ends() -> None:
    translator = translator_for()
    pause = end("requires_continuation", continuation_token="dG9rZW4=")
    for _ in range(10):
        assert play(translator, [pause]).deltas == []
        assert translator.continuation() is not None
    assert play(translator, [pause]).deltas == [Finished("max_output_tokens")]
    assert translator.continuation() is None


def test_a_call_about_the_screen_is_a_computer_call() -> None:
    history = [{"role": "user", "content": [{"type": "input_image", "image_url": PIXEL}]}]
    told = read(
        start("function_call", id="c", name="type", arguments={}),
        more("arguments_delta", arguments='{"text":"hi","press_'),
        more("arguments_delta", arguments='enter":true}'),
        stop(),
        start("function_call", 1, id="d", name="look", arguments={}),
        stop(1),
        end("requires_action"),
        input=history,
        **SCREEN,
    )
    [done] = told.of(Item)
    assert (done.item.type, done.item.call_id) == ("computer_call", "c")
    assert [action.type for action in done.item.actions] == ["type", "keypress"]
    assert told.of(ToolCall) == [ToolCall(2, "d", "look", "{}")]


@pytest.mark.parametrize(
    "events",
    [
        [more("text", text="?")],
        [start("model_output"), stop(), more("text", text="?")],
        [whole({"type": "model_output", "content": 7})],
        [whole({"type": "google_search_call", "arguments": 7})],
        [whole({"type": "google_search_call", "arguments": {"queries": [7]}})],
        [whole({"type": "code_execution_call", "arguments": {"code": [7]}})],
        [whole({"type": "model_output", "content": [{"type": "text", "text": True}]})],
        [start("function_call", id="c", name=7)],
        [start("thought"), more("thought_signature", signature=7)],
        [{"event_type": 7}],
    ],
)
def test_nonsense_is_the_upstreams_fault(events: list[Any]) -> None:
    assert isinstance(read(*events).error, UpstreamProtocolError)


def test_broken_arguments_of_a_call_about_the_screen_are_the_upstreams_fault() -> None:
    events = [start("function_call", id="c", name="click"), more("arguments_delta", arguments="{")]
    assert isinstance(read(*events, stop(), **SCREEN).error, UpstreamProtocolError)
