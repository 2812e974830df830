"""The core's own transport: HTTP over one shared aiohttp session.

aiohttp limits only the time until there is a connection. Its other limits set a timer anew with
every packet; ours are a `Deadline`, for the first byte and then for each wait for more. The
connector reports on a request under way, because aiohttp does not tell its caller when a connection
is there, nor whether it is new.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from io import BytesIO
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from msgspec import Struct
from yarl import URL

from gateway.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from gateway.plugin.deployment import Timeouts
from gateway.plugin.dialect import UpstreamRequest
from gateway.upstream.deadline import Deadlines
from gateway.upstream.sending import Sending, host_of

__all__ = ["HttpAnswer", "HttpTransport", "TransportOptions"]

_OUR_HEADERS = {"accept-encoding": "identity", "user-agent": "responses-gateway"}
_WRITTEN_AT_ONCE = (
    1 << 20
)  # bytes; aiohttp wants longer bodies as files, and writes these in pieces
_DECODED = frozenset({"gzip", "deflate", "br", "zstd"})
_OF_THE_ENCODED_BODY = frozenset({"content-encoding", "content-length"})

_MEANINGS: Mapping[type[Exception], str] = {
    aiohttp.ClientConnectorDNSError: "the name of {host} cannot be resolved: check base_url",
    aiohttp.ClientProxyConnectionError: "no connection to the proxy before {host}: {reason}",
    aiohttp.ClientHttpProxyError: "the proxy refused to connect to {host}",
    aiohttp.ClientConnectorCertificateError: "the certificate of {host} is not trusted: {reason}",
    ssl.SSLError: "no TLS connection to {host}: check that base_url is an https address",
    aiohttp.ClientConnectorError: "no connection to {host}: {reason}",
    aiohttp.InvalidURL: "the address of the upstream is not a URL: check base_url",
    aiohttp.NonHttpUrlClientError: "the upstream is not at an http or https URL: check base_url",
    aiohttp.ServerDisconnectedError: "{host} closed the connection before it answered",
    aiohttp.ClientResponseError: "{host} sent what cannot be read as HTTP",
    aiohttp.ClientPayloadError: "the answer of {host} broke off before its end",
    OSError: "the connection to {host} broke: {reason}",
    ValueError: "no request to {host} can be written: check base_url, api_key and headers",
    aiohttp.ClientError: "the connection to {host} broke",
}
"""What foreign exceptions mean, the most specific first."""

_BROKEN_PROTOCOL = (aiohttp.ClientResponseError, aiohttp.ClientPayloadError)
_FOREIGN = (aiohttp.ClientError, OSError, ValueError)


class TransportOptions(Struct, frozen=True, kw_only=True):
    """Bounds of a transport, and its way out.

    `connections` and `connections_per_host` bound the pool, 0 does not: a request beyond them waits
    for a connection, as long as its connect timeout allows. There is no bound by default, for each
    stream has a connection of its own, and the engine bounds the requests that it lets in.
    `keep_alive` is how many seconds an idle connection is kept. `body_limit`, in bytes, bounds what
    `Answer.body` reads. `tls` replaces the system's trust. The environment's proxy settings count
    only with `trust_environment`.
    """

    connections: int = 0
    connections_per_host: int = 0
    keep_alive: float = 30.0
    body_limit: int = 64 * 1024 * 1024
    proxy: str | None = None
    trust_environment: bool = False
    tls: ssl.SSLContext | None = None


class HttpTransport:
    """Sends upstream requests over one pool of connections, opened when it is first needed.

    Keeps no cookies, follows no redirects, and asks for bodies that are not compressed.
    """

    def __init__(self, options: TransportOptions | None = None) -> None:
        self._options = options or TransportOptions()
        self._session: aiohttp.ClientSession | None = None
        self._answers: WeakSet[HttpAnswer] = WeakSet()
        self._deadlines = Deadlines()
        self._connect_limits: dict[float, aiohttp.ClientTimeout] = {}

    async def send(self, request: UpstreamRequest, timeouts: Timeouts, /) -> HttpAnswer:
        """Send `request` and return the answer once its headers are here.

        A pooled connection that turns out to be dead is replaced by a new one, once. Raises
        `UpstreamUnreachableError`, `UpstreamTimeoutError`, and `UpstreamProtocolError` for an
        answer that is not HTTP, or a redirect. Cancelling it closes the connection.
        """
        sending = Sending(request.url, timeouts, self._deadlines)
        _SENDING.set(sending)
        try:
            response = await self._exchange(request, sending)
        except TimeoutError as error:
            raise sending.late() from error
        except _FOREIGN as error:
            raise _ours(error, request.url, answered=False) from error
        finally:
            sending.over()
        answer = HttpAnswer(response, sending, self._options.body_limit)
        if 300 <= answer.status < 400:
            answer.close()
            raise UpstreamProtocolError(
                f"{host_of(request.url)} answered with a redirect ({answer.status}), which is not"
                " followed: set base_url to where it leads"
            )
        self._answers.add(answer)
        return answer

    async def aclose(self) -> None:
        """Close every connection; answers that are still being read break off."""
        for answer in tuple(self._answers):
            answer.close()  # aiohttp would leave their readers waiting
        if self._session is not None:
            await self._session.close()
        self._deadlines.close()

    async def _exchange(self, request: UpstreamRequest, sending: Sending) -> aiohttp.ClientResponse:
        try:
            return await self._request(request, sending)
        except (
            aiohttp.ServerDisconnectedError,
            aiohttp.ClientOSError,
            aiohttp.ClientConnectionResetError,
        ):
            if sending.fresh:
                raise
        return await self._request(request, sending)

    async def _request(self, request: UpstreamRequest, sending: Sending) -> aiohttp.ClientResponse:
        response = await self._open_session().request(
            request.method,
            _address(request.url),
            data=_upload(request.body),
            headers=request.headers,
            allow_redirects=False,
            timeout=self._connect_limit(sending.timeouts.connect),
        )
        sending.has_answer(response.content.set_exception)
        return response

    def _connect_limit(self, seconds: float) -> aiohttp.ClientTimeout:
        if seconds not in self._connect_limits:
            self._connect_limits[seconds] = aiohttp.ClientTimeout(connect=seconds)
        return self._connect_limits[seconds]

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            options = self._options
            self._session = aiohttp.ClientSession(
                connector=_Connector(
                    limit=options.connections,
                    limit_per_host=options.connections_per_host,
                    keepalive_timeout=options.keep_alive,
                    ttl_dns_cache=60,
                    ssl=options.tls or True,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_OUR_HEADERS,
                skip_auto_headers=("Content-Type",),
                proxy=options.proxy,
                trust_env=options.trust_environment,
            )
        return self._session


class HttpAnswer:
    """An answer over HTTP; read to its end, it gives its connection back to the pool.

    The first chunk must come before the request's first-byte timeout ends, each further one within
    the idle timeout. A body that is compressed in spite of our wish is decoded.
    """

    __slots__ = (
        "__weakref__",
        "_body_limit",
        "_content",
        "_failure",
        "_first",
        "_response",
        "_sending",
        "headers",
        "status",
    )

    def __init__(self, response: aiohttp.ClientResponse, sending: Sending, body_limit: int) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = _headers(response)
        self._response = response
        self._content = response.content
        self._sending = sending
        self._body_limit = body_limit
        self._first = True
        self._failure: UpstreamError | None = None

    @property
    def ended(self) -> bool:
        return self._failure is None and self._content.at_eof()

    async def chunk(self) -> bytes:
        """Return the next bytes of the body as they arrive, or `b""` at its end.

        Raises `UpstreamTimeoutError` and, if the connection breaks before the body's end,
        `UpstreamProtocolError`. Cancelling it closes the connection.
        """
        if self._failure is not None:
            raise self._failure
        if not self._content.is_eof():
            self._begin_wait()
        try:
            data = await self._content.readany()
        except asyncio.CancelledError:
            self.close()
            raise
        except _FOREIGN as error:
            return self._end(error)
        self._first = False
        self._sending.met()
        return data

    async def body(self) -> bytes:
        """Return all that is left of the body. Raises `UpstreamProtocolError` if it is too long."""
        chunks: list[bytes] = []
        size = 0
        while data := await self.chunk():
            size += len(data)
            if size > self._body_limit:
                self.close()
                raise UpstreamProtocolError(
                    f"the answer of {host_of(self._sending.url)} has more than the"
                    f" {self._body_limit} bytes that are read"
                )
            chunks.append(data)
        return b"".join(chunks)

    def close(self) -> None:
        """Let go of the answer. The connection of an unfinished one is closed at once."""
        self._sending.met()
        if not self._content.is_eof():
            self._sending.abort()
            self._response.close()

    def _begin_wait(self) -> None:
        if self._first and self._sending.first_byte_due is not None:
            self._sending.wait_until(self._sending.first_byte_due)
        else:
            now = asyncio.get_running_loop().time()
            self._sending.wait_until(now + self._sending.timeouts.idle)

    def _late(self) -> UpstreamTimeoutError:
        if self._first:
            return self._sending.late()
        return UpstreamTimeoutError(
            f"{host_of(self._sending.url)} sent nothing more"
            f" for {self._sending.timeouts.idle:g} seconds"
        )

    def _end(self, error: Exception) -> bytes:
        """Fail with `error`, but first return what had come before it."""
        late = type(error) is TimeoutError
        failure = self._late() if late else _ours(error, self._sending.url, answered=True)
        failure.__cause__ = error
        self._failure = failure
        rest = self._content._read_nowait(-1)  # pyright: ignore[reportPrivateUsage] - its public methods forget the rest
        self.close()
        if not rest:
            raise failure
        return rest


_SENDING: ContextVar[Sending] = ContextVar("sending")
"""The request that the running task sends: the only way from our call to the connector."""


class _Connector(aiohttp.TCPConnector):
    """The pool, which tells the request under way about its connection."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        sending = _SENDING.get()
        sending.needs_connection()
        connection = await super().connect(req, traces, timeout)
        while sending.again and not sending.fresh:
            connection.close()  # where one pooled connection was dead, the others are suspect
            connection = await super().connect(req, traces, timeout)
        assert connection.protocol is not None
        sending.has_connection(connection.transport, connection.protocol.set_exception)
        return connection

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> ResponseHandler:
        _SENDING.get().fresh = True
        return await super()._create_connection(req, traces, timeout)


def _address(url: str) -> URL:
    """Return `url` as it stands: a client's query must not be quoted anew."""
    try:
        return URL(url, encoded=url.isascii())
    except ValueError as error:
        raise aiohttp.InvalidURL(url) from error


def _upload(body: bytes) -> bytes | BytesIO | None:
    if len(body) > _WRITTEN_AT_ONCE:
        return BytesIO(body)
    return body or None


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    names = map(str.lower, response.headers)
    headers = dict(zip(names, response.headers.values(), strict=True))
    if headers.get("content-encoding", "").lower() in _DECODED:
        for name in _OF_THE_ENCODED_BODY:
            headers.pop(name, None)
    return headers


def _ours(error: Exception, url: str, *, answered: bool) -> UpstreamError:
    """Say which of our errors `error` is: once there is an answer, a break is the protocol's."""
    meaning = next(text for foreign, text in _MEANINGS.items() if isinstance(error, foreign))
    message = meaning.format(host=host_of(url), reason=_reason(error))
    if answered or isinstance(error, _BROKEN_PROTOCOL):
        return UpstreamProtocolError(message)
    return UpstreamUnreachableError(message)


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return getattr(error.certificate_error, "verify_message", "") or "it cannot be verified"
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number).lower() if number else "it ended early"
