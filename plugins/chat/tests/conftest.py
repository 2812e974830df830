"""What the tests share: answers in, events out; requests in, bodies out."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, NamedTuple

import msgspec
import pytest

from gateway.errors import GatewayError
from gateway.plugin import Call, Delta, Deployment, Frame, Secret, SSEDecoder, WholeBody
from gateway.stream.assembler import Assembler
from gateway.types.request import Request, decode_request
from gateway.types.response import Response, start_response
from gateway_chat import ChatDialect

DIALECT = ChatDialect()


class Outcome(NamedTuple):
    """What became of one answer."""

    events: list[Any]
    response: Response
    error: GatewayError | None

    @property
    def text(self) -> str:
        return self.response.output_text

    def items(self, kind: str) -> list[Any]:
        return [item for item in self.response.output if item.type == kind]


def deployment(quirks: dict[str, Any]) -> Deployment:
    return Deployment(
        alias="alias",
        provider="acme",
        model="upstream-model",
        account="account",
        base_url="http://upstream.invalid/v1",
        quirks=quirks,
    )


def call_of(request: dict[str, Any], quirks: dict[str, Any]) -> Call:
    body = msgspec.json.encode({"model": "alias", "input": "hello", **request})
    return Call(request=decode_request(body), model="upstream-model", deployment=deployment(quirks))


@pytest.fixture
def read() -> Callable[..., Outcome]:
    """Translate and assemble an answer that comes in the given pieces of bytes."""

    def run(
        chunks: Iterable[bytes],
        *,
        whole: bool = False,
        request: dict[str, Any] | None = None,
        **quirks: Any,
    ) -> Outcome:
        numbers = count()
        response = start_response(Request(), id="resp_1", model="alias", created_at=0)
        assembler = Assembler(response, lambda prefix: f"{prefix}_{next(numbers)}", lambda: 0.0)
        translator = DIALECT.translator(call_of(request or {}, quirks))
        framing = WholeBody() if whole else SSEDecoder()
        events, error = assembler.start(), None
        try:
            for frame in [*(f for c in chunks for f in framing.feed(c)), *framing.close()]:
                for delta in translator.feed(frame):
                    events += assembler.feed(delta)
            events += assembler.finish()
        except GatewayError as failure:
            error = failure
            events += assembler.fail(failure)
        return Outcome(events, assembler.response, error)

    return run


@pytest.fixture
def chat(read: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Read a stream of which only the `delta` of each chunk is given; a string is a finish."""

    def run(*deltas: dict[str, Any] | str, done: bool = True, **quirks: Any) -> Outcome:
        choices = [
            {"delta": {}, "finish_reason": delta} if isinstance(delta, str) else {"delta": delta}
            for delta in deltas
        ]
        frames = [msgspec.json.encode({"choices": [choice]}) for choice in choices]
        if done:
            frames.append(b"[DONE]")
        return read([b"data: " + frame + b"\n\n" for frame in frames], **quirks)

    return run


@pytest.fixture
def deltas() -> Callable[..., list[Delta]]:
    """Feed whole JSON objects to a translator, each as one frame."""

    def run(*frames: dict[str, Any], **quirks: Any) -> list[Delta]:
        translator = DIALECT.translator(call_of({}, quirks))
        return [
            delta
            for frame in frames
            for delta in translator.feed(Frame(msgspec.json.encode(frame)))
        ]

    return run


@pytest.fixture
def encode() -> Callable[..., dict[str, Any]]:
    """Write a request, given without the model, as an upstream body."""

    def run(request: dict[str, Any], **quirks: Any) -> dict[str, Any]:
        return msgspec.json.decode(DIALECT.encode(call_of(request, quirks)).body)

    return run


@pytest.fixture
def judge() -> Callable[..., dict[str, str]]:
    """Check a request and return the action for each parameter that is not simply honoured."""

    def run(request: dict[str, Any], **quirks: Any) -> dict[str, str]:
        call = call_of(request, quirks)
        verdicts = list(DIALECT.check(call.request, call.deployment))
        assert all(verdict.reason for verdict in verdicts)
        return {verdict.param: verdict.action for verdict in verdicts}

    return run


@pytest.fixture
def call_for() -> Callable[..., Call]:
    """Make a call to a deployment that is like the others but for the given fields."""

    def run(*, api_key: str = "", **fields: Any) -> Call:
        call = call_of({}, {})
        changed = msgspec.structs.replace(call.deployment, api_key=Secret(api_key), **fields)
        return msgspec.structs.replace(call, deployment=changed)

    return run
