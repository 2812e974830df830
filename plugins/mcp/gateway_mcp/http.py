"""HTTP with one MCP server: requests, answers within bounds, and what foreign errors mean."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway_mcp.addresses import RefusedAddressError
from gateway_mcp.budget import Budget
from gateway_mcp.connection import HttpEndpoint, McpError, McpUnreachableError

__all__ = ["EVENT_STREAM", "JSON", "Answer", "Exchange"]

JSON = "application/json"
EVENT_STREAM = "text/event-stream"

_KEEPS_METHOD = (307, 308)
_REST_SECONDS = 0.05
_SHORTEST_SECRET = 8
_SHORTEST_SECRET_IN_PATH = 16

_UNKNOWN = "the name of the server cannot be resolved, or its address is not public"
"""One text for both: clients must not learn which names there are in the gateway's network."""

_MEANINGS: Mapping[type[Exception], str] = {
    aiohttp.ClientConnectorDNSError: _UNKNOWN,
    aiohttp.ClientConnectorCertificateError: "the certificate of the server is not trusted",
    ssl.SSLError: "no TLS connection to the server: check that it speaks https",
    aiohttp.ClientConnectorError: "no connection to the server",
    aiohttp.ServerTimeoutError: "no connection to the server in time",
    aiohttp.InvalidURL: "the address of the server is not a URL",
    aiohttp.ServerDisconnectedError: "the server closed the connection before it answered",
    aiohttp.ClientResponseError: "the server sent what cannot be read as HTTP",
    aiohttp.ClientPayloadError: "the answer of the server broke off before its end",
    ValueError: "no request to the server can be written: check its URL and headers",
    Exception: "the connection to the server broke",
}
"""What foreign exceptions mean, the most specific first."""


class Answer:
    """An answer whose body is read piece by piece."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.content_type = (
            response.headers.get("content-type", "").partition(";")[0].strip().lower()
        )
        self._content = response.content

    async def chunk(self) -> bytes:
        """Return the next bytes, `b""` at the end. Raises `McpUnreachableError` if it broke off."""
        with _our_errors():
            return await self._content.readany()

    async def body(self, budget: Budget) -> bytes:
        """Return all that is left, as far as `budget` goes."""
        chunks: list[bytes] = []
        while data := await self.chunk():
            budget.spend(len(data))
            chunks.append(data)
        return b"".join(chunks)

    async def skip_rest(self, budget: Budget) -> None:
        """Wait a moment for the end, after which the connection can be used again."""
        with suppress(TimeoutError, McpError):
            async with asyncio.timeout(_REST_SECONDS):
                await self.body(budget)


class Exchange:
    """Sends requests to one server, with the headers of its endpoint.

    Redirects are followed once, within the origin, and only where they keep the method.
    `hidden` are the credentials in headers and URL, which no message may repeat.
    """

    def __init__(self, endpoint: HttpEndpoint, session: aiohttp.ClientSession) -> None:
        self._headers = endpoint.headers
        self._session = session
        self.url = _checked(endpoint.url)
        self.hidden = _secrets(endpoint.headers, self.url)

    @asynccontextmanager
    async def send(
        self, method: str, headers: Mapping[str, str], data: bytes = b"", *, to: URL | None = None
    ) -> AsyncGenerator[Answer]:
        """Send a request to `to`, or to the endpoint, and give its answer, whatever its status.

        Raises `McpUnreachableError`. An answer that was not read to its end closes the connection.
        """
        url = to or self.url
        response = await self._request(method, url, headers, data)
        try:
            if response.status in _KEEPS_METHOD:
                target = self.within_origin(response.headers.get("location", ""), url)
                response.close()
                response = await self._request(method, target, headers, data)
                if to is None and response.status < 300:
                    self.url = target
            if 300 <= response.status < 400:
                raise McpUnreachableError(
                    "the server redirects to another address: name the one that it leads to"
                )
            yield Answer(response)
        finally:
            response.close()

    def within_origin(self, reference: str, url: URL | None = None) -> URL:
        """Return the URL that `reference` stands for. Raises `McpUnreachableError` if it leads to
        another server, which must not see the headers.
        """
        origin = url or self.url
        try:
            target = origin.join(URL(reference))
            same = target.origin() == origin.origin() and target.raw_user == origin.raw_user
        except ValueError:
            same, target = False, origin
        if not same:
            raise McpUnreachableError(
                "the server sends its clients to another server: name the one that it leads to"
            )
        return target

    async def _request(
        self, method: str, url: URL, headers: Mapping[str, str], data: bytes
    ) -> aiohttp.ClientResponse:
        merged = CIMultiDict(self._headers)
        merged.update(headers)
        with _our_errors():
            return await self._session.request(
                method, url, headers=merged, data=data or None, allow_redirects=False
            )


@contextmanager
def _our_errors() -> Generator[None]:
    """Turn aiohttp's errors into ours. They are not kept as causes: they may hold the URL."""
    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if isinstance(error, aiohttp.ClientConnectorError):
            reason = error.os_error
            if isinstance(reason, RefusedAddressError):
                raise McpUnreachableError(_UNKNOWN) from None
        text = next(meaning for kind, meaning in _MEANINGS.items() if isinstance(error, kind))
        raise McpUnreachableError(text) from None


def _checked(text: str) -> URL:
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host or url.raw_user or url.raw_password:
        raise McpUnreachableError(
            "the address of the server is not an http or https URL without user and password"
        )
    return url


def _secrets(headers: Mapping[str, str], url: URL) -> frozenset[str]:
    """Return what may be a credential: the values of headers, with and without a scheme such as
    `Bearer`, those in the query, and long parts of the path, where some servers want them.
    """
    values = [part for value in headers.values() for part in (value, value.rpartition(" ")[2])]
    values += url.query.values()
    values += [part for part in url.parts if len(part) >= _SHORTEST_SECRET_IN_PATH]
    return frozenset(value for value in values if len(value) >= _SHORTEST_SECRET)
