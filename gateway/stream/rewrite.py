"""What of a native upstream's response changes on its way: the ids and the model's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from gateway.errors import UpstreamProtocolError
from gateway.stream.splice import join_members, read_members
from gateway.types.response import Usage

__all__ = ["Rewrite", "Summary", "read_summary", "rewrite_response"]

_RESPONSES = frozenset({"response", "response.deleted"})


class _Names(Struct):
    """The members of an answer that decide what changes."""

    id: Any = None
    object: Any = None
    model: Any = None
    previous_response_id: Any = None


class _Said(Struct):
    """The members of a response that `read_summary` reads."""

    status: Any = None
    usage: Raw = Raw()


class Summary(Struct, frozen=True, kw_only=True):
    """What a response says of itself: how it ended, and the tokens that it used."""

    status: str | None = None
    usage: Usage | None = None


T = TypeVar("T")

_said_decoder = msgspec.json.Decoder(_Said)
_names_decoder = msgspec.json.Decoder(_Names)
_encoder = msgspec.json.Encoder()
_usage_decoder = msgspec.json.Decoder(Usage)


class Rewrite(Struct, frozen=True, kw_only=True):
    """How ids and model names change on their way to the client.

    `seal` turns an upstream's response id into ours, always into the same; `rename` turns its name
    for a model into the client's. `response_id` and `model` name a response that fails before the
    upstream has named it.
    """

    seal: Callable[[str], str]
    rename: Callable[[str], str]
    response_id: str = "resp_unknown"
    model: str = ""


def rewrite_response(body: bytes, rewrite: Rewrite) -> bytes:
    """Return `body`, a JSON answer, with the response's id, its predecessor's and its model ours.

    A response, a deletion and a compaction have such members; any other object stays as it is.
    Raises `UpstreamProtocolError` if `body` is not a JSON object.
    """
    names = _decode(_names_decoder, body)
    changes: dict[str, str] = {}
    upstream_id = names.id
    if isinstance(upstream_id, str) and (
        upstream_id.startswith("resp_") or (upstream_id and names.object in _RESPONSES)
    ):
        changes["id"] = rewrite.seal(upstream_id)
    if isinstance(names.previous_response_id, str) and names.previous_response_id:
        changes["previous_response_id"] = rewrite.seal(names.previous_response_id)
    if isinstance(names.model, str) and (model := rewrite.rename(names.model)) != names.model:
        changes["model"] = model
    for name, value in changes.items():
        body = _exchange(body, name, getattr(names, name), value)
    return body


def _exchange(body: bytes, name: str, old: str, new: str) -> bytes:
    """Return `body` with `new` as the value of its member `name`, which is `old`.

    An id that stands there once stands nowhere else, so a search finds the member; any other body
    is taken apart.
    """
    quoted = _encoder.encode(old)
    if name != "model" and body.count(quoted) == 1:
        return body.replace(quoted, _encoder.encode(new))
    members = read_members(body)
    members[name] = Raw(_encoder.encode(new))
    return join_members(members)


def read_summary(response: bytes) -> Summary:
    """Return what a response says of itself; what cannot be read is absent.

    Raises `UpstreamProtocolError` if `response` is not a JSON object.
    """
    said = _decode(_said_decoder, response)
    status = said.status if isinstance(said.status, str) else None
    return Summary(status=status, usage=_read_usage(said.usage))


def _read_usage(usage: Raw) -> Usage | None:
    if not bytes(usage).startswith(b"{"):
        return None
    try:
        return _usage_decoder.decode(usage)
    except msgspec.ValidationError:
        members = read_members(usage)
    told = {name: value for name, value in members.items() if bytes(value) != b"null"}
    try:
        return _usage_decoder.decode(join_members(told))
    except msgspec.ValidationError:
        return None


def _decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamProtocolError(
            "the provider's answer is not a JSON object; check the deployment's base_url"
        ) from error
