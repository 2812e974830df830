"""The functions of the package, against an upstream that plays OpenAI."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

import pytest

import gateway
from gateway.client.functions import DEFAULT
from gateway.testing.openai import ImitatedOpenAI
from gateway.testing.script import Fault

MODEL = "openai/o1-pro"
STORY = "".join(ImitatedOpenAI.story)

Call = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    """Calls a function of the package by its name, or its twin with an `a` in a loop of its own."""

    async def twin(name: str, **arguments: Any) -> Any:
        answer = await getattr(gateway, f"a{name}")(**arguments)
        if isinstance(answer, gateway.AsyncResponseStream):
            async with answer:
                return [event async for event in answer]
        return answer

    def plain(name: str, **arguments: Any) -> Any:
        answer = getattr(gateway, name)(**arguments)
        if isinstance(answer, gateway.ResponseStream):
            with answer:
                return list(answer)
        return answer

    if request.param == "sync":
        return plain
    return lambda name, **arguments: asyncio.run(twin(name, **arguments))


def test_a_response_is_typed_and_keeps_what_the_upstream_said(
    openai: ImitatedOpenAI, call: Call
) -> None:
    response = call("responses", model=MODEL, input="hi", max_output_tokens=100)
    assert response.output_text == STORY
    assert response.usage.total_tokens == 21
    assert response.to_dict()["invented"] is True
    assert f'"id":"{response.id}"' in response.to_json()
    received = openai.requests[0]
    assert received.json() == {"model": "o1-pro", "input": "hi", "max_output_tokens": 100}
    assert received.headers["authorization"] == "Bearer sk-invented"


def test_a_stream_is_typed_events_in_order(openai: ImitatedOpenAI, call: Call) -> None:
    events = call("responses", model=MODEL, input="hi", stream=True)
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == STORY
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.output_text == STORY


def test_a_response_is_fetched_streamed_again_cancelled_and_deleted(
    openai: ImitatedOpenAI, call: Call
) -> None:
    made = call("responses", model=MODEL, input="hi", background=True)
    assert made.status == "queued"
    assert call("cancel_responses", response_id=made.id).status == "cancelled"
    fetched = call("get_responses", response_id=made.id, include=["reasoning.encrypted_content"])
    assert fetched.id == made.id
    assert unquote(openai.requests[-1].query) == "include[]=reasoning.encrypted_content"
    page = call("list_input_items", response_id=made.id, limit=1, order="asc")
    assert page.data[0].content[0].text == "hi"
    assert openai.requests[-1].query == "limit=1&order=asc"
    assert call("delete_responses", response_id=made.id).deleted is True
    with pytest.raises(gateway.UpstreamRejectedError, match="not found") as refusal:
        call("get_responses", response_id=made.id)
    assert refusal.value.status == 404


def test_a_kept_response_is_streamed_from_where_its_reader_was(
    openai: ImitatedOpenAI, call: Call
) -> None:
    made = call("responses", model=MODEL, input="hi")
    events = call("get_responses", response_id=made.id, stream=True, starting_after=3)
    assert events[-1].response.id == made.id
    assert sorted(openai.requests[-1].query.split("&")) == ["starting_after=3", "stream=true"]


def test_a_conversation_is_compacted_and_counted(openai: ImitatedOpenAI, call: Call) -> None:
    assert call("compact_responses", model=MODEL, input="hi").output[0].type == "compaction"
    assert call("count_input_tokens", model=MODEL, input="hi").input_tokens == 9
    assert [received.path for received in openai.requests] == [
        "/v1/responses/compact",
        "/v1/responses/input_tokens",
    ]
    assert {received.json()["model"] for received in openai.requests} == {"o1-pro"}


def test_each_function_and_its_twin_have_the_same_parameters() -> None:
    for name in (name for name in gateway.__all__ if f"a{name}" in gateway.__all__):
        plain, twin = getattr(gateway, name), getattr(gateway, f"a{name}")
        assert inspect.signature(plain).parameters == inspect.signature(twin).parameters
        assert inspect.iscoroutinefunction(twin)


def test_a_printed_response_can_be_read(openai: ImitatedOpenAI) -> None:
    assert STORY in str(gateway.responses(model=MODEL, input="hi"))


def test_many_threads_call_at_once_over_shared_connections(openai: ImitatedOpenAI) -> None:
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(gateway.responses, model=MODEL, input=str(n)) for n in range(40)]
        answers = [call.result() for call in calls]
    assert len({answer.id for answer in answers}) == 40
    assert sorted(int(received.json()["input"]) for received in openai.requests) == list(range(40))


async def test_a_synchronous_call_works_inside_a_running_loop(openai: ImitatedOpenAI) -> None:
    assert gateway.responses(model=MODEL, input="hi").output_text == STORY


async def test_many_calls_run_at_once_in_one_loop(openai: ImitatedOpenAI) -> None:
    calls = (gateway.aresponses(model=MODEL, input="hi") for _ in range(20))
    assert len({answer.id for answer in await asyncio.gather(*calls)}) == 20


def test_a_synchronous_call_in_the_gateways_own_thread_is_refused(openai: ImitatedOpenAI) -> None:
    async def observe() -> None:
        gateway.responses(model=MODEL, input="hi")

    with pytest.raises(gateway.GatewayError, match="would wait for itself"):
        DEFAULT._running().wait(observe())


def test_a_stream_that_is_closed_half_read_is_cancelled_upstream(openai: ImitatedOpenAI) -> None:
    openai.fault = Fault.STALL
    with gateway.responses(model=MODEL, input="hi", stream=True) as stream:
        assert next(stream).type == "response.created"
        assert stream.response is not None
        assert stream.response.status == "in_progress"
    assert openai.wait_for_departure().json()["stream"] is True
    assert list(stream) == []


def test_a_stream_that_nobody_holds_any_more_is_cancelled_upstream(
    openai: ImitatedOpenAI,
) -> None:
    openai.fault = Fault.STALL
    for event in gateway.responses(model=MODEL, input="hi", stream=True):
        assert event.type == "response.created"
        break
    assert openai.wait_for_departure().json()["stream"] is True


async def test_an_asynchronous_stream_that_is_closed_half_read_is_cancelled_upstream(
    openai: ImitatedOpenAI,
) -> None:
    openai.fault = Fault.STALL
    async with await gateway.aresponses(model=MODEL, input="hi", stream=True) as stream:
        assert (await anext(stream)).type == "response.created"
    assert openai.wait_for_departure().json()["stream"] is True
    assert [event async for event in stream] == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cancelled_call_is_cancelled_upstream(openai: ImitatedOpenAI, stream: bool) -> None:
    openai.fault = Fault.STALL

    async def read() -> None:
        answer: Any = await gateway.aresponses(model=MODEL, input="hi", stream=stream)
        async for _ in answer:
            pass

    await _cancel_on_arrival(read(), openai)
    assert openai.wait_for_departure().json()["model"] == "o1-pro"


async def _cancel_on_arrival(call: Awaitable[None], openai: ImitatedOpenAI) -> None:
    task = asyncio.ensure_future(call)
    await asyncio.to_thread(openai.wait_for_arrival)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_stream_that_breaks_says_so_in_its_events(openai: ImitatedOpenAI, call: Call) -> None:
    openai.fault = Fault.CUT
    events = call("responses", model=MODEL, input="hi", stream=True)
    assert [event.type for event in events[-2:]] == ["error", "response.failed"]
    assert events[-1].response.status == "failed"
    assert events[-1].response.error.message


def test_an_upstreams_refusal_is_an_error_with_its_code_and_parameter(
    openai: ImitatedOpenAI, call: Call
) -> None:
    made = call("responses", model=MODEL, input="hi")
    openai.responses.clear()
    with pytest.raises(gateway.UpstreamRejectedError) as refusal:
        call("responses", model=MODEL, input="hi", previous_response_id=made.id)
    error = refusal.value
    assert (error.status, error.code) == (400, "previous_response_not_found")
    assert error.param == "previous_response_id"
    assert "not found" in error.message


def test_an_answer_that_takes_too_long_is_an_error(openai: ImitatedOpenAI, call: Call) -> None:
    openai.fault = Fault.STALL
    with pytest.raises(gateway.UpstreamTimeoutError) as late:
        call("responses", model=MODEL, input="hi", timeout=0.05)
    assert late.value.status == 504
    assert len(openai.requests) == 1
