"""What of a native upstream's response changes on its way: the ids and the model's name."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Raw, Struct

from gateway.errors import UpstreamProtocolError
from gateway.stream.splice import join_members, read_members
from gateway.types.response import Usage

__all__ = ["Rewrite", "read_usage", "rewrite_response"]

_RESPONSES = frozenset({"response", "response.deleted"})
_READ = ("id", "object", "model", "previous_response_id")
_encoder = msgspec.json.Encoder()
_text_decoder = msgspec.json.Decoder(str)
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
    members, texts = _read(body)
    upstream_id = texts.get("id", "")
    previous_id = texts.get("previous_response_id")
    changes: dict[str, str] = {}
    if upstream_id and (texts.get("object") in _RESPONSES or upstream_id.startswith("resp_")):
        changes["id"] = rewrite.seal(upstream_id)
    if previous_id:
        changes["previous_response_id"] = rewrite.seal(previous_id)
    if "model" in texts:
        changes["model"] = rewrite.rename(texts["model"])
    members.update((name, Raw(_encoder.encode(text))) for name, text in changes.items())
    return join_members(members)


def read_usage(response: bytes) -> Usage | None:
    """Return the token counts of a response, or None if it has none that can be read.

    Raises `ValueError` if `response` is not a JSON object.
    """
    usage = read_members(response).get("usage")
    if usage is None or not bytes(usage).startswith(b"{"):
        return None
    members = read_members(usage)
    told = {name: value for name, value in members.items() if bytes(value) != b"null"}
    try:
        return _usage_decoder.decode(join_members(told))
    except msgspec.ValidationError:
        return None


def _read(body: bytes) -> tuple[dict[str, Raw], dict[str, str]]:
    """Return the members of a response, and as text those that decide what changes."""
    try:
        members = read_members(body)
        values = {name: bytes(members[name]) for name in _READ if name in members}
        texts = {
            name: _text_decoder.decode(value)
            for name, value in values.items()
            if value.startswith(b'"')
        }
    except ValueError as error:
        raise UpstreamProtocolError(
            "the provider's answer is not a JSON object; check the deployment's base_url"
        ) from error
    return members, texts
