"""The servers that clients bring along, each with its URL: whatever they say is checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from gateway.errors import InvalidRequestError
from gateway.types.tools import McpTool
from gateway_mcp.addresses import refusal
from gateway_mcp.connection import HttpEndpoint
from gateway_mcp.credentials import bearer, secrets_in
from gateway_mcp.server import Server

__all__ = ["LISTING_SECONDS", "visitor"]

LISTING_SECONDS = 10.0
"""How long a server that a client named may take to say what it can do."""

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_URL = re.compile(r"https?://[^\s\\\x00-\x1f\x7f]+", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")

# What the protocol or the connection itself says, and what belongs to the hop.
_OURS = frozenset({"accept", "accept-encoding", "connection", "expect", "host", "keep-alive"})
_OF_THE_HOP = frozenset({"te", "trailer", "transfer-encoding", "upgrade", "last-event-id"})
_FAMILIES = ("content-", "mcp-", "proxy-")


def visitor(tool: McpTool, tenant: str, *, private: bool) -> Server:
    """Return the server at the `server_url` of `tool`. Raises `InvalidRequestError`.

    With `private`, its address may be one that only this machine or its network can reach.
    """
    if not _LABEL.fullmatch(tool.server_label):
        problem = "server_label is 1 to 64 letters, digits, `_` and `-`"
        raise InvalidRequestError(problem, param="server_label")
    url = tool.server_url or ""
    _check_url(url, private=private)
    headers = dict(_headers(tool))
    return Server(
        label=tool.server_label,
        endpoint=HttpEndpoint(url=url, headers=headers, private=private),
        owner=tenant,
        allowed=(tool.allowed_tools,),
        policies=(tool.require_approval,),
        listed=False,
        seconds=LISTING_SECONDS,
        secrets=secrets_in(headers.values(), url),
    )


def _check_url(url: str, *, private: bool) -> None:
    parts = _split(url)
    if not _URL.fullmatch(url) or parts is None or not parts.hostname:
        raise _refused("server_url is no URL; write a whole one, such as https://example.com/mcp")
    if parts.username is not None or parts.password is not None:
        raise _refused("server_url holds a user or a password; put the credential in authorization")
    kind = None if private else refusal(parts.hostname)
    if kind is not None:
        raise _refused(f"server_url is an address that is {kind}, which may not be used here")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError:
        return None
    return parts


def _refused(problem: str) -> InvalidRequestError:
    return InvalidRequestError(problem, param="server_url")


def _headers(tool: McpTool) -> Iterator[tuple[str, str]]:
    given = tool.headers or {}
    for name, value in given.items():
        _check_header(name, value, "headers")
        yield name, value
    if not tool.authorization:
        return
    if "authorization" in map(str.lower, given):
        problem = "the credential is in headers and in authorization; keep one of them"
        raise InvalidRequestError(problem, param="authorization")
    _check_header("Authorization", tool.authorization, "authorization")
    yield "Authorization", bearer(tool.authorization)


def _check_header(name: str, value: str, param: str) -> None:
    lowered = name.lower()
    if lowered in _OURS | _OF_THE_HOP or lowered.startswith(_FAMILIES):
        raise InvalidRequestError(f"the header {name!r} is not yours to set", param=param)
    if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
        problem = f"the header {name[:64]!r} cannot be sent; take line breaks and blanks out"
        raise InvalidRequestError(problem, param=param)
