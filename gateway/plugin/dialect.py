"""The dialect contract: how to speak one upstream API, without doing any I/O.

A dialect is stateless and shared by every call. The core does the rest: it authenticates, sends,
times out, retries, cuts the answer into frames, and cancels when the client leaves. There are
two kinds:

* `Dialect` translates: typed `Request` to upstream bytes, upstream frames to deltas.
* `NativeDialect` is for an upstream that speaks the Responses API itself: the core relays its
  bytes, and the dialect only says where they go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from msgspec import Struct

from gateway.errors import UpstreamError
from gateway.plugin.deployment import Deployment
from gateway.plugin.support import SupportTable, Verdict
from gateway.stream.deltas import Delta
from gateway.stream.frames import Frame, Framing
from gateway.stream.sse import SSEDecoder
from gateway.types.request import Request

if TYPE_CHECKING:
    from typing_extensions import TypeIs  # in typing from Python 3.13

__all__ = [
    "Call",
    "ContinuingTranslator",
    "CountingDialect",
    "Dialect",
    "Failure",
    "LimitingDialect",
    "NativeCall",
    "NativeDialect",
    "Operation",
    "Translator",
    "UpstreamRequest",
    "continues",
    "counts",
    "limits",
    "native",
]

Operation = Literal[
    "create", "retrieve", "delete", "cancel", "input_items", "compact", "input_tokens"
]


class Call(Struct, frozen=True, kw_only=True):
    """One request on its way to one deployment of a translating dialect, history already filled in.

    `model` is the upstream's name for the model. What `check` dropped is gone from the request,
    what it left to the gateway is lowered to functions, and `encrypted_content` is the carrier as
    the dialect once gave it: reasoning of another model has none.
    """

    request: Request
    model: str
    deployment: Deployment


class NativeCall(Struct, frozen=True, kw_only=True):
    """One request on its way to an upstream that speaks the Responses API.

    `body` is ready to send (empty for bodiless operations), `response_id` the upstream's own id,
    `query` the client's raw query string, `headers` those of the client that may pass.
    """

    operation: Operation
    deployment: Deployment
    body: bytes = b""
    response_id: str = ""
    query: str = ""
    headers: Mapping[str, str] = {}


class UpstreamRequest(Struct, frozen=True, kw_only=True):
    """An HTTP request as the transport sends it; `framing` cuts a streamed answer into frames."""

    url: str
    body: bytes = b""
    headers: Mapping[str, str] = {}
    method: str = "POST"
    framing: Callable[[], Framing] = SSEDecoder


class Failure(Struct, frozen=True, kw_only=True):
    """An upstream answer with an error status; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Translator(Protocol):
    """Reads one upstream answer. Made new for each call, so it may keep state."""

    def feed(self, frame: Frame, /) -> Iterable[Delta]:
        """Say what `frame` means; frames of unknown kinds mean nothing.

        Raises an `UpstreamError` if the upstream reports a failure in mid-stream.
        """
        ...


class ContinuingTranslator(Protocol):
    """What a `Translator` may have besides, if its upstream may pause and want to be asked again.

    It reads all the answers into one response, so the keys of its deltas must not repeat.
    """

    def continuation(self) -> UpstreamRequest | None:
        """Return what to send now that an answer has ended, or None if nothing more is wanted.

        Asked once for each answer, after its last frame. A translator that has paused often enough
        says `Finished` instead.
        """
        ...


class Dialect(Protocol):
    """Speaks one upstream API that is not the Responses API.

    `support` names all that a request can hold (see `gateway.plugin.support`).
    """

    name: ClassVar[str]
    support: ClassVar[SupportTable]

    def check(self, request: Request, deployment: Deployment, /) -> Iterable[Verdict]:
        """Say what of `request` cannot be honoured as it stands; nothing said means accepted.

        Begins with `support.judge(request)`, and decides what the table leaves to the value.
        """
        ...

    def encode(self, call: Call, /) -> UpstreamRequest:
        """Write `call` as an upstream request that asks for a stream, without the credential."""
        ...

    def translator(self, call: Call, /) -> Translator:
        """Return a fresh reader for the answer to `call`."""
        ...

    def error(self, failure: Failure, /) -> UpstreamError:
        """Say which of our errors `failure` is. Must cope with any body at all."""
        ...


class CountingDialect(Protocol):
    """What a `Dialect` may have besides, if its upstream counts the tokens of an input."""

    def encode_count(self, call: Call, /) -> UpstreamRequest:
        """Write the question how many input tokens `call` has, without the credential."""
        ...

    def read_count(self, body: bytes, /) -> int:
        """Return the number that the upstream answered. Raises `UpstreamProtocolError`."""
        ...


class LimitingDialect(Protocol):
    """What a `Dialect` may have besides, if its upstream has other headers for rate limits."""

    def rate_limits(self, headers: Mapping[str, str], /) -> Mapping[str, str]:
        """Return the `x-ratelimit-` headers that say the same as those of an upstream's answer,
        whose names are in lower case.
        """
        ...


class NativeDialect(Protocol):
    """Speaks to upstreams that offer the Responses API themselves."""

    name: ClassVar[str]
    native: ClassVar[Literal[True]]

    def encode(self, call: NativeCall, /) -> UpstreamRequest:
        """Say where `call` goes, without the credential.

        Raises `InvalidRequestError` if this upstream does not offer the operation.
        """
        ...

    def error(self, failure: Failure, /) -> UpstreamError:
        """Say which of our errors `failure` is; its `body` passes on unchanged where it is
        OpenAI-shaped.
        """
        ...


def continues(translator: object, /) -> TypeIs[ContinuingTranslator]:
    """Say whether `translator` may want more than one answer of its upstream."""
    return hasattr(translator, "continuation")


def counts(dialect: object, /) -> TypeIs[CountingDialect]:
    """Say whether the upstream of `dialect` counts input tokens, and the dialect can ask it."""
    return hasattr(dialect, "encode_count")


def limits(dialect: object, /) -> TypeIs[LimitingDialect]:
    """Say whether `dialect` can tell the rate limits of its upstream in OpenAI's words."""
    return hasattr(dialect, "rate_limits")


def native(dialect: Dialect | NativeDialect, /) -> TypeIs[NativeDialect]:
    """Say whether the upstream of `dialect` speaks the Responses API itself."""
    return getattr(dialect, "native", False) is True
