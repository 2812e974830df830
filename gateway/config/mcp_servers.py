"""Read `mcp_servers`: LiteLLM's shape, with our own settings beside its."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from typing import Any, Literal, cast

from msgspec.structs import fields

from gateway.config import litellm
from gateway.config.reader import Node, Reader, Words
from gateway.config.settings import McpServer, Secret

__all__ = ["read_mcp_servers"]

_SERVER = Words(
    frozenset((*McpServer.__struct_fields__, "auth_type", "auth_value")) - {"label"},
    aliases={"authentication_token": "auth_value", "static_headers": "headers"},
    foreign=litellm.MCP_SERVER,
)
_TYPES = {field.name: field.type for field in fields(McpServer)}
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OF_URLS = ("transport", "headers", "authorization", "auth_type", "auth_value")
_OF_COMMANDS = ("args", "env")
_AuthType = Literal["none", "bearer_token", "token", "authorization", "basic", "api_key"]


def read_mcp_servers(reader: Reader, node: Node, tenants: Collection[str]) -> tuple[McpServer, ...]:
    """Return the servers, which stand by their labels. `tenants` are those that have a key."""
    value = node.value
    if not isinstance(value, dict):
        reader.mapping(node, Words(frozenset()))
        return ()
    written = cast("dict[object, object]", value).items()
    nodes = [node.child(str(label), settings) for label, settings in written]
    servers = [_server(reader, child, tenants) for child in nodes]
    return tuple(server for server in servers if server is not None)


def _server(reader: Reader, node: Node, tenants: Collection[str]) -> McpServer | None:
    before = len(reader.problems)
    label = node.path.partition(".")[2]
    if not _LABEL.fullmatch(label):
        reader.report(node, "a label is 1 to 64 letters, digits, `_` and `-`; write another")
    children = reader.mapping(node, _SERVER)
    _check_place(reader, node, children)
    written = {
        name: reader.value(_TYPES[name], child)
        for name, child in children.items()
        if name in _TYPES
    }
    credential = _credential(reader, children)
    if len(reader.problems) > before:
        return None
    headers = written.pop("headers", {})
    server = McpServer(label=label, headers={**headers, **credential}, **written)
    _check_headers(reader, node, server)
    for tenant in server.tenants:
        if tenants and tenant not in tenants:
            known = ", ".join(sorted(tenants))
            problem = f"nobody has a key of the tenant `{tenant}`; there are {known}"
            reader.report(node.child("tenants", None), problem)
    return server


def _check_place(reader: Reader, node: Node, children: dict[str, Node]) -> None:
    """See to it that there is a URL or a command, and nothing that belongs to the other one."""
    transport = children.get("transport")
    if transport and transport.value == "stdio":
        del children["transport"]  # LiteLLM's word for what `command` says here
    if ("url" in children) == ("command" in children):
        return reader.report(node, "write url, or command, and not both")
    there, others = ("url", _OF_COMMANDS) if "url" in children else ("command", _OF_URLS)
    for name in children.keys() & {*others}:
        reader.report(children[name], f"does not go with {there}; remove it")
    return None


def _credential(reader: Reader, children: Mapping[str, Node]) -> Mapping[str, Secret]:
    """Return LiteLLM's `auth_type` and `auth_value` as the header that they stand for."""
    kind = children.get("auth_type")
    value = children.get("auth_value")
    means = reader.value(_AuthType, kind) if kind else "none"
    secret: Secret | None = reader.value(Secret, value) if value else None
    if value and means == "none":
        reader.report(value, "says nothing without auth_type; write bearer_token, for example")
    if kind and means not in ("none", None) and not value:
        reader.report(kind, "goes with auth_value; write both or neither")
    return _header(means, secret) if secret else {}


def _header(kind: Any, secret: Secret) -> Mapping[str, Secret]:
    text = secret.reveal()
    match kind:
        case "bearer_token" | "token":
            name, scheme = "Authorization", "Bearer" if kind == "bearer_token" else "token"
            text = f"{scheme} {text.removeprefix(f'{scheme} ')}"
        case "basic":
            name, text = "Authorization", f"Basic {base64.b64encode(text.encode()).decode()}"
        case "authorization":
            name = "Authorization"
        case _:
            name = "X-API-Key"
    return {name: Secret(text, secret.source)}


def _check_headers(reader: Reader, node: Node, server: McpServer) -> None:
    place = node.child("headers", None)
    sent = [*server.headers, *(["authorization"] if server.authorization else [])]
    names = [name.lower() for name in sent]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reader.report(place, f"{name} is written twice; keep one of them")
    for name, value in {**server.headers, "authorization": server.authorization}.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value.reveal()):
            reader.report(place, f"{name!r} cannot be sent; look for line breaks and blanks")
