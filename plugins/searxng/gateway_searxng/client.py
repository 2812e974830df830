"""HTTP with one SearXNG: a query, and what it has found, within bounds."""

from __future__ import annotations

from typing import Self

import aiohttp
import msgspec
from msgspec import Struct

from gateway.errors import GatewayError
from gateway.types.wire import JsonObject
from gateway_searxng.settings import Settings

__all__ = ["Result", "SearchError", "Searxng"]

_MOST_BYTES = 4 * 1024 * 1024
_HINTS = {
    403: "it refuses: allow the format json in its settings, and check the api_key",
    401: "it refuses the api_key",
    429: "it limits the gateway: raise its limits, or exempt the gateway",
}


class SearchError(GatewayError):
    """There is no result to be had; `status` is that of the answer, or what a gateway says."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Result(Struct, frozen=True, kw_only=True):
    """A page, and what an engine says of it; `published` is a date, empty if there is none."""

    url: str
    title: str
    snippet: str
    published: str


class _Answer(Struct, frozen=True):
    """What is read of an answer. Engines fill in results, so each is looked at by itself."""

    results: tuple[JsonObject, ...]
    unresponsive_engines: tuple[object, ...] = ()


_decode_answer = msgspec.json.Decoder(_Answer).decode


class Searxng:
    """Owns the connections to the SearXNG of `settings` while it is entered.

    A search takes at most `seconds`. No error tells the address or the credential.
    """

    def __init__(self, settings: Settings, *, seconds: float) -> None:
        self._url = f"{settings.url}/search"
        self._headers = _headers(settings)
        self._seconds = seconds

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._seconds),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._session.close()

    async def search(self, query: str) -> tuple[Result, ...]:
        """Return what is found for `query`, the best first. Raises `SearchError`."""
        answer = _read(await self._body(query))
        if answer.unresponsive_engines and not answer.results:
            raise SearchError(502, "none of its engines has answered")
        return tuple(filter(None, map(_result, answer.results)))

    async def _body(self, query: str) -> bytes:
        form = {"q": query, "format": "json"}  # posted: addresses are written to logs
        try:
            async with self._session.post(self._url, data=form, allow_redirects=False) as response:
                if response.status != 200:
                    raise _refusal(response.status)
                return await _read_all(response.content)
        except TimeoutError:
            problem = f"it did not answer within {self._seconds:g} seconds"
            raise SearchError(504, problem) from None
        except (aiohttp.ClientError, OSError):  # they may hold the address
            raise SearchError(502, "it cannot be reached, or broke off") from None


def _headers(settings: Settings) -> dict[str, str]:
    headers = {"accept": "application/json", "user-agent": "responses-gateway"}
    if key := settings.api_key.reveal():
        headers["authorization"] = key if " " in key else f"Bearer {key}"
    return headers


def _refusal(status: int) -> SearchError:
    if 300 <= status < 400:
        return SearchError(502, "it redirects: configure the address that it leads to")
    return SearchError(status, _HINTS.get(status, f"it answered with the status {status}"))


async def _read_all(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise SearchError(502, f"it sent more than the {_MOST_BYTES} bytes that are read")
    return bytes(body)


def _read(body: bytes) -> _Answer:
    try:
        return _decode_answer(body)
    except (msgspec.MsgspecError, RecursionError):
        raise SearchError(502, "what it answered is no result in JSON") from None


def _result(found: JsonObject) -> Result | None:
    """Return what `found` says, or None if it is no page that can be named."""
    url = found.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or url.split()[1:]:
        return None
    return Result(
        url=url,
        title=_line(found.get("title")),
        snippet=_line(found.get("content")),
        published=_line(found.get("publishedDate"))[:10],
    )


def _line(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
