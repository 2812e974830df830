"""How failures of Claude, of Gemini and on Bedrock are told that no recording has.

All that the vendors say here is invented.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING

import openai
import pytest
import pytest_asyncio
from msgspec import Struct

from gateway.stream.lifecycle import violations
from gateway.testing import Fault, Script, ScriptedUpstream, json_answer, page

from .conftest import asking, entry
from .reading import events_of
from .synthetic import (
    TEXT,
    Json,
    bedrock_exception,
    beginning,
    claude_error,
    claude_event,
    gemini_chunk,
    gemini_error,
    gemini_frame,
    stream_of,
)
from .telling import read_telling

if TYPE_CHECKING:
    from tests.conftest import RunGateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3-flash-preview",
    "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
}


class Gateway:
    """Asks a gateway for one answer at a time, which an upstream gives as it is told to."""

    def __init__(self, client: openai.AsyncOpenAI, upstream: ScriptedUpstream) -> None:
        self._client = client
        self._upstream = upstream

    def will_say(self, script: Script) -> None:
        self._upstream.forget()
        self._upstream.add(script)

    async def ask(self, provider: str, *, stream: bool = False) -> None:
        await self._client.responses.create(model=provider, input="hello", stream=stream)

    async def events(self, provider: str) -> list[Json]:
        """Return the events of a streamed answer, which keeps every rule of the stream."""
        responses = self._client.responses.with_streaming_response
        asked = responses.create(model=provider, input="hello", stream=True)
        async with asked as answer:
            events = events_of(await answer.read())
        assert violations(events) == []
        return events


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, run_gateway: RunGateway) -> AsyncGenerator[Gateway]:
    models = [entry(name, name, model, upstream.url) for name, model in MODELS.items()]
    async with asking(run_gateway, models) as client:
        yield Gateway(client, upstream)


class Failure(Struct, frozen=True):
    """What an upstream does, and the status and code of the error that it is told as."""

    provider: str
    does: Script | bytes | Fault
    status: int
    code: str


def refused(kind: str, message: str, *, status: int, headers: Mapping[str, str] = {}) -> Script:
    """Return an error of Anthropic's."""
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return json_answer(body, status=status, headers=headers)


def thrown(kind: str, message: str, *, status: int) -> Script:
    """Return an error of Bedrock's, whose kind is in a header."""
    headers = {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/coral/"}
    return json_answer({"message": message}, status=status, headers=headers)


def faulted(code: int, status: str, message: str, *details: Json) -> Script:
    """Return an error of Google's."""
    return json_answer(gemini_error(code, status, message, *details), status=code)


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
TOO_LONG = "prompt is too long: 210000 tokens > 200000 maximum"
TOO_MANY = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
SPENT = "Your credit balance is too low to access the Anthropic API. Please purchase credits."
LATER = {"retry-after": "7"}

REFUSALS = {
    "Claude's rate limit": Failure(
        "anthropic",
        refused("rate_limit_error", "slow down", status=429, headers=LATER),
        429,
        "rate_limit_exceeded",
    ),
    "Claude's overload": Failure(
        "anthropic", refused("overloaded_error", "busy", status=529), 503, "overloaded"
    ),
    "Claude's breakdown": Failure(
        "anthropic", refused("api_error", "oh no", status=500), 502, "upstream_error"
    ),
    "Claude's bad key": Failure(
        "anthropic",
        refused("authentication_error", "invalid x-api-key", status=401),
        502,
        "upstream_authentication_error",
    ),
    "Claude's long prompt": Failure(
        "anthropic",
        refused("invalid_request_error", TOO_LONG, status=400),
        400,
        "context_length_exceeded",
    ),
    "Claude's empty purse": Failure(
        "anthropic",
        refused("invalid_request_error", SPENT, status=400),
        429,
        "insufficient_quota",
    ),
    "Claude's large request": Failure(
        "anthropic", page("too large", status=413), 413, "request_too_large"
    ),
    "Gemini's quota": Failure(
        "gemini",
        faulted(429, "RESOURCE_EXHAUSTED", "quota", RETRY_INFO),
        429,
        "rate_limit_exceeded",
    ),
    "Gemini's quota in a list": Failure(
        "gemini",
        json_answer([gemini_error(429, "RESOURCE_EXHAUSTED", "quota", RETRY_INFO)], status=429),
        429,
        "rate_limit_exceeded",
    ),
    "Gemini's overload": Failure(
        "gemini", faulted(503, "UNAVAILABLE", "The model is busy"), 503, "overloaded"
    ),
    "Gemini's breakdown": Failure(
        "gemini", faulted(500, "INTERNAL", "An internal error"), 502, "upstream_error"
    ),
    "Gemini's bad key": Failure(
        "gemini",
        faulted(400, "INVALID_ARGUMENT", "API key not valid.", BAD_KEY),
        502,
        "upstream_authentication_error",
    ),
    "Gemini's long prompt": Failure(
        "gemini", faulted(400, "INVALID_ARGUMENT", TOO_MANY), 400, "context_length_exceeded"
    ),
    "Bedrock's throttling": Failure(
        "bedrock",
        thrown("ThrottlingException", "Too many requests", status=429),
        429,
        "rate_limit_exceeded",
    ),
    "Bedrock's overload": Failure(
        "bedrock", thrown("ServiceUnavailableException", "busy", status=503), 503, "overloaded"
    ),
    "Bedrock's sleep": Failure(
        "bedrock", thrown("ModelNotReadyException", "not ready", status=429), 503, "overloaded"
    ),
    "Bedrock's breakdown": Failure(
        "bedrock", thrown("ModelErrorException", "it failed", status=424), 502, "upstream_error"
    ),
    "Bedrock's old token": Failure(
        "bedrock",
        thrown("ExpiredTokenException", "The security token is expired", status=403),
        502,
        "upstream_authentication_error",
    ),
    "Bedrock's long prompt": Failure(
        "bedrock",
        thrown("ValidationException", "Input is too long for requested model.", status=400),
        400,
        "context_length_exceeded",
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_has_openais_status_and_code(
    gateway: Gateway, name: str, *, stream: bool
) -> None:
    failure = REFUSALS[name]
    assert isinstance(failure.does, Script)
    gateway.will_say(failure.does)
    with pytest.raises(openai.APIStatusError) as raised:
        await gateway.ask(failure.provider, stream=stream)
    assert (raised.value.status_code, raised.value.code) == (failure.status, failure.code)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("Claude's rate limit", "7"), ("Gemini's quota", "34"), ("Gemini's quota in a list", "34")],
)
async def test_when_to_come_again_is_told(gateway: Gateway, name: str, seconds: str) -> None:
    failure = REFUSALS[name]
    assert isinstance(failure.does, Script)
    gateway.will_say(failure.does)
    with pytest.raises(openai.RateLimitError) as raised:
        await gateway.ask(failure.provider)
    assert raised.value.response.headers["retry-after"] == seconds


async def test_claudes_limits_are_told_in_openais_words(gateway: Gateway) -> None:
    limits = {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-tokens-limit": "40000",
        "anthropic-ratelimit-tokens-remaining": "39000",
    }
    gateway.will_say(refused("rate_limit_error", "slow down", status=429, headers=limits))
    with pytest.raises(openai.RateLimitError) as raised:
        await gateway.ask("anthropic")
    headers = raised.value.response.headers
    assert {name: told for name, told in headers.items() if name.startswith("x-ratelimit-")} == {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-limit-tokens": "40000",
        "x-ratelimit-remaining-tokens": "39000",
    }


BUSY = "it will take a while"
BREAKDOWNS = {
    "overloaded_error": Failure(
        "anthropic", claude_error("overloaded_error", BUSY), 503, "server_error"
    ),
    "api_error": Failure("anthropic", claude_error("api_error", BUSY), 502, "server_error"),
    "rate_limit_error": Failure(
        "anthropic", claude_error("rate_limit_error", BUSY), 429, "rate_limit_exceeded"
    ),
    "throttlingException": Failure(
        "bedrock", bedrock_exception("throttlingException", BUSY), 429, "rate_limit_exceeded"
    ),
    "modelStreamErrorException": Failure(
        "bedrock", bedrock_exception("modelStreamErrorException", BUSY), 502, "server_error"
    ),
    "internalServerException": Failure(
        "bedrock", bedrock_exception("internalServerException", BUSY), 502, "server_error"
    ),
    "serviceUnavailableException": Failure(
        "bedrock", bedrock_exception("serviceUnavailableException", BUSY), 503, "server_error"
    ),
    "UNAVAILABLE": Failure(
        "gemini", gemini_frame(gemini_error(503, "UNAVAILABLE", BUSY)), 503, "server_error"
    ),
    "RESOURCE_EXHAUSTED": Failure(
        "gemini",
        gemini_frame(gemini_error(429, "RESOURCE_EXHAUSTED", BUSY, RETRY_INFO)),
        429,
        "rate_limit_exceeded",
    ),
}


@pytest.mark.parametrize("name", BREAKDOWNS)
async def test_a_failure_in_mid_stream_is_told_after_what_was_said(
    gateway: Gateway, name: str
) -> None:
    failure = BREAKDOWNS[name]
    assert isinstance(failure.does, bytes)
    said = beginning(failure.provider, words=True)
    gateway.will_say(stream_of(failure.provider, *said, failure.does))
    *_, error, failed = await gateway.events(failure.provider)
    assert (error["type"], failed["type"]) == ("error", "response.failed")
    assert read_telling(failed["response"]).text == TEXT
    assert failed["response"]["error"]["code"] == failure.code
    assert BUSY in failed["response"]["error"]["message"]


@pytest.mark.parametrize("name", BREAKDOWNS)
async def test_a_failure_before_the_first_word_is_a_plain_error(
    gateway: Gateway, name: str
) -> None:
    failure = BREAKDOWNS[name]
    assert isinstance(failure.does, bytes)
    said = beginning(failure.provider, words=False)
    gateway.will_say(stream_of(failure.provider, *said, failure.does))
    with pytest.raises(openai.APIStatusError, match=BUSY) as raised:
        await gateway.events(failure.provider)
    assert raised.value.status_code == failure.status


async def test_an_error_of_geminis_that_only_calls_itself_a_stream_is_told(
    gateway: Gateway,
) -> None:
    error = json.dumps(gemini_error(503, "UNAVAILABLE", BUSY), indent=2).encode()
    gateway.will_say(stream_of("gemini", error[:20], error[20:]))
    with pytest.raises(openai.InternalServerError, match=BUSY) as raised:
        await gateway.ask("gemini")
    assert raised.value.status_code == 503


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET])
@pytest.mark.parametrize("provider", MODELS)
async def test_a_broken_connection_is_told_after_what_was_said(
    gateway: Gateway, provider: str, fault: Fault
) -> None:
    gateway.will_say(stream_of(provider, *beginning(provider, words=True), fault))
    *_, error, failed = await gateway.events(provider)
    assert (error["type"], failed["type"]) == ("error", "response.failed")
    assert read_telling(failed["response"]).text == TEXT


@pytest.mark.parametrize("provider", MODELS)
async def test_a_stream_that_just_ends_has_failed(gateway: Gateway, provider: str) -> None:
    script = stream_of(provider, *beginning(provider, words=True))
    gateway.will_say(script)
    events = await gateway.events(provider)
    assert events[-1]["type"] == "response.failed"
    gateway.will_say(script)
    with pytest.raises(openai.InternalServerError) as raised:
        await gateway.ask(provider)
    assert raised.value.status_code == 502


async def test_a_refusal_of_claudes_is_explained_in_a_message(gateway: Gateway) -> None:
    why = "This would help to build a weapon."
    details = {"type": "refusal", "category": "cyber", "explanation": why}
    delta = {"stop_reason": "refusal", "stop_sequence": None, "stop_details": details}
    ending = claude_event("message_delta", delta=delta, usage={"output_tokens": 2})
    stop = claude_event("message_stop")
    gateway.will_say(stream_of("anthropic", *beginning("anthropic", words=False), ending, stop))
    *_, last = await gateway.events("anthropic")
    told = read_telling(last["response"])
    assert (told.status, told.reason, told.refused) == ("incomplete", "content_filter", True)
    assert last["response"]["output"][0]["content"][0]["refusal"] == why


FILTERED = ("PROHIBITED_CONTENT", "RECITATION", "SAFETY", "BLOCKLIST", "SPII")


@pytest.mark.parametrize("finish", FILTERED)
@pytest.mark.parametrize("words", [True, False], ids=["in mid-text", "at once"])
async def test_what_a_filter_cut_off_is_incomplete(
    gateway: Gateway, finish: str, *, words: bool
) -> None:
    said = beginning("gemini", words=words)
    reason = "It was not to be said."
    gateway.will_say(stream_of("gemini", *said, gemini_chunk(finish=finish, finishMessage=reason)))
    *_, last = await gateway.events("gemini")
    told = read_telling(last["response"])
    assert (told.status, told.reason) == ("incomplete", "content_filter")
    assert (told.text, told.refused) == ((TEXT, False) if words else ("", True))


async def test_a_blocked_prompt_is_refused_in_a_message(gateway: Gateway) -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    gateway.will_say(stream_of("gemini", gemini_frame(blocked)))
    *_, last = await gateway.events("gemini")
    told = read_telling(last["response"])
    assert (told.status, told.reason, told.refused) == ("incomplete", "content_filter", True)


@pytest.mark.parametrize("finish", ["MALFORMED_FUNCTION_CALL", "TOO_MANY_TOOL_CALLS"])
async def test_a_call_that_the_model_got_wrong_is_a_failure(gateway: Gateway, finish: str) -> None:
    ending = gemini_chunk(finish=finish, finishMessage="print(default_api.look_up(")
    gateway.will_say(stream_of("gemini", *beginning("gemini", words=True), ending))
    *_, failed = await gateway.events("gemini")
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"]["code"] == "server_error"
    assert finish in failed["response"]["error"]["message"]
