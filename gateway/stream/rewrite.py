"""What of a native upstream's response changes on its way: the ids and the model's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.errors import UpstreamProtocolError
from gateway.stream.splice import join_members, read_members
from gateway.types.response import Usage

__all__ = [
    "Names",
    "Rewrite",
    "Summary",
    "changes_of",
    "exchange",
    "read_names",
    "read_usage",
    "rewrite_response",
    "rewritten",
    "summary_of",
]

_EXCHANGED = frozenset({"id", "previous_response_id", "model"})
_RESPONSES = frozenset({"response", "response.deleted"})


class Names(Struct):
    """The members of a response that decide what changes, its status, and its usage unread."""

    id: Any = None
    object: Any = None
    model: Any = None
    previous_response_id: Any = None
    status: Any = None
    usage: Raw = Raw()


class Summary(Struct, frozen=True, kw_only=True):
    """What a response says of itself: how it ended, and the tokens that it used."""

    status: str | None = None
    usage: Usage | None = None


_names_decoder = msgspec.json.Decoder(Names)
_encoder = msgspec.json.Encoder()
_usage_decoder = msgspec.json.Decoder(Usage)


class Rewrite(Struct, frozen=True, kw_only=True):
    """How ids and model names change on their way to the client.

    `seal` turns an upstream's response id into ours, always into the same; `rename` turns its name
    for a model into the client's. `response_id` and `model` name a response that fails before the
    upstream has named it. `also` are members that have a value of ours, whatever the upstream says.
    """

    seal: Callable[[str], str]
    rename: Callable[[str], str]
    response_id: Callable[[], str] = lambda: "resp_unknown"
    model: str = ""
    also: Mapping[str, object] = {}


def rewrite_response(body: bytes, rewrite: Rewrite) -> bytes:
    """Return `body`, a JSON answer, with the response's id, its predecessor's and its model ours.

    A response, a deletion and a compaction have such members; any other object stays as it is.
    Raises `UpstreamProtocolError` if `body` is not a JSON object.
    """
    return rewritten(body, read_names(body), rewrite)


def rewritten(body: bytes, names: Names, rewrite: Rewrite) -> bytes:
    """Do the work of `rewrite_response` for whoever has read the `names` in `body`."""
    changes = changes_of(names, rewrite)
    exchanged = exchange(body, names, changes)
    if exchanged is not None:
        return exchanged
    members = read_members(body)
    members.update((name, Raw(_encoder.encode(value))) for name, value in changes.items())
    return join_members(members)


def changes_of(names: Names, rewrite: Rewrite) -> dict[str, object]:
    """Return the new values of those members of a response that change."""
    changes: dict[str, object] = {}
    upstream_id, previous_id, model = names.id, names.previous_response_id, names.model
    if isinstance(upstream_id, str) and (
        upstream_id.startswith("resp_") or (upstream_id and names.object in _RESPONSES)
    ):
        changes["id"] = rewrite.seal(upstream_id)
    if isinstance(previous_id, str) and previous_id:
        changes["previous_response_id"] = rewrite.seal(previous_id)
    if isinstance(model, str) and (renamed := rewrite.rename(model)) != model:
        changes["model"] = renamed
    changes.update(rewrite.also)
    return changes


def exchange(text: bytes, names: Names, changes: Mapping[str, object]) -> bytes | None:
    """Return JSON `text` around a response with these changes, or None if that takes a closer look.

    What stands once in the text, quotes included, stands where it was read, so nothing need be
    taken apart.
    """
    if not changes.keys() <= _EXCHANGED:
        return None
    for name, value in changes.items():
        old = _encoder.encode(getattr(names, name))
        if text.count(old) != 1:
            return None
        text = text.replace(old, _encoder.encode(value), 1)
    return text


def read_names(body: bytes) -> Names:
    """Return the members of `body` that are read here.

    Raises `UpstreamProtocolError` if it is not a JSON object.
    """
    try:
        return _names_decoder.decode(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamProtocolError(
            "the provider's answer is not a JSON object; check the deployment's base_url"
        ) from error


def summary_of(names: Names) -> Summary:
    """Return what a response says of itself; what cannot be read is absent."""
    status = names.status if isinstance(names.status, str) else None
    return Summary(status=status, usage=read_usage(names.usage))


def read_usage(usage: Raw) -> Usage | None:
    """Return token counts, or None if they cannot be read; a null reads as absent."""
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
