"""Reading a request's body once: its limit, its encoding, and a client that leaves meanwhile."""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Mapping
from typing import Protocol

from starlette.types import Receive

from gateway.errors import InvalidRequestError, RequestTooLargeError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["ClientGoneError", "read_body"]

_GZIP = 16 + zlib.MAX_WBITS
_USUAL_WINDOW = 23
"""The window, as a power of two, that RFC 8878 asks every zstd decoder to offer."""


class ClientGoneError(Exception):
    """The client has left: there is nobody to answer."""


async def read_body(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    """Return the request's body without its content encoding, `limit` bytes at most in either form.

    Raises `RequestTooLargeError` as soon as the limit is known to be passed, `InvalidRequestError`
    for a body that is no JSON document by its own account or cannot be decoded, `ClientGoneError`.
    """
    _check_content_type(headers.get("content-type", ""))
    inflater = _inflater(headers.get("content-encoding", ""), limit)
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    body = await _receive_all(receive, limit)
    if inflater is None:
        return body
    # In a thread: even a small body can take a tenth of a second to inflate up to the limit.
    return await asyncio.to_thread(_inflate, body, inflater, limit)


async def _receive_all(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        pieces.append(piece)
        more = message.get("more_body", False)
    return b"".join(pieces)


class _Inflater(Protocol):
    """What zlib's and zstd's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _inflater(encoding: str, limit: int) -> _Inflater | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(_GZIP)
        case "zstd":
            window = max(_USUAL_WINDOW, limit.bit_length())
            options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: window}
            return zstd.ZstdDecompressor(options=options)
        case _:
            raise _unsupported(
                "the content encoding of the body is not supported; use gzip, zstd or none",
                {"accept-encoding": "gzip, zstd"},
            )


def _inflate(body: bytes, stream: _Inflater, limit: int) -> bytes:
    try:
        # One byte more than allowed shows a bomb before it has grown any further.
        inflated = stream.decompress(body, limit + 1)
    except (zlib.error, zstd.ZstdError) as error:
        raise _undecodable() from error
    if len(inflated) > limit:
        raise _too_large(limit)
    if not stream.eof or stream.unused_data:
        raise _undecodable()
    return inflated


def _check_content_type(content_type: str) -> None:
    # Clients forget the header, and curl's default is a form's; only an upload is surely none of
    # ours.
    if content_type.lower().startswith("multipart/"):
        raise _unsupported("the body is a form upload; send JSON", {"accept": "application/json"})


def _too_large(limit: int) -> RequestTooLargeError:
    return RequestTooLargeError(f"the body is larger than the {limit} bytes that are allowed")


def _undecodable() -> InvalidRequestError:
    return InvalidRequestError("the body is not what its content-encoding header says")


def _unsupported(message: str, headers: Mapping[str, str]) -> InvalidRequestError:
    error = InvalidRequestError(message, code="unsupported_media_type")
    error.status = 415
    error.headers = headers
    return error
