"""What all wire types share: encoding, and results that remember the bytes they were read from."""

import re
from typing import Any, TypeVar, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType

from gateway.types.open import lenient_hook, problem

__all__ = [
    "JsonObject",
    "Omittable",
    "StreamEvent",
    "Tagged",
    "Wire",
    "answer_decoder",
    "encode",
    "read_answer",
]

T = TypeVar("T")

Omittable = T | None | UnsetType
"""A field that may be absent or null; absent stays absent (UNSET is falsy, like None)."""

JsonObject = dict[str, Any]
"""JSON that belongs to the client or to a vendor, such as a JSON Schema; never looked into."""

_encoder = msgspec.json.Encoder()
encode = _encoder.encode


class Wire:
    """A public value: what the upstream sent when it was read from bytes, else its own fields."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        return msgspec.json.decode(self._bytes())

    def to_json(self) -> str:
        return self._bytes().decode()

    def __repr__(self) -> str:
        """Like a Struct's own, without the members that are absent."""
        fields = cast("Any", self).__struct_fields__
        members = ((name, getattr(self, name)) for name in fields)
        told = ", ".join(f"{name}={value!r}" for name, value in members if value is not UNSET)
        return f"{type(self).__name__}({told})"

    def _bytes(self) -> bytes:
        kept: dict[str, Any] = getattr(self, "__dict__", {})
        return kept.get("raw") or encode(self)


class Tagged(Wire):
    """A value whose `type` on the wire is the tag of its Struct."""

    __slots__ = ()

    @property
    def type(self) -> str:
        """The `type` on the wire."""
        return cast("Any", self).__struct_config__.tag


class StreamEvent(Tagged, Struct, kw_only=True, dict=True):
    """An event: mutable, so that the assembler can stamp `sequence_number` on its way out.

    `sequence_number` and all indexes start at 0 in each response.
    """


def answer_decoder(answer: type[T]) -> msgspec.json.Decoder[T]:
    """Make a decoder for what upstreams send."""
    return msgspec.json.Decoder(answer, dec_hook=lenient_hook)


def read_answer(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode an upstream's answer into a Struct with `dict=True` and keep its bytes.

    Servers echo parameters in shapes of their own, and some dump every field they have as null. So
    a field that does not fit reads as absent. Raises msgspec.DecodeError when *data* is not JSON,
    msgspec.ValidationError when a field that we cannot do without is missing or does not fit.
    """
    try:
        answer = decoder.decode(data)
    except msgspec.ValidationError:
        answer = _read_what_fits(decoder, _without_nulls(msgspec.json.decode(data)))
    answer.__dict__["raw"] = bytes(data)
    return answer


def _read_what_fits(decoder: msgspec.json.Decoder[T], value: Any) -> T:
    while True:
        try:
            return decoder.decode(encode(value))
        except msgspec.ValidationError as error:
            _, path = problem(error)
            if path is None or not _forget(value, path):
                raise


def _forget(value: Any, path: str) -> bool:
    """Delete the innermost field on *path*, a list as a whole; False when there is none."""
    found: tuple[JsonObject, str] | None = None
    for step in re.findall(r"[^.\[\]]+", path):
        if not isinstance(value, dict) or step not in value:
            break
        found = (cast("JsonObject", value), step)
        value = found[0][step]
    if found is None:
        return False
    del found[0][found[1]]
    return True


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("JsonObject", value)
        return {name: _without_nulls(field) for name, field in fields.items() if field is not None}
    if isinstance(value, list):
        return [_without_nulls(element) for element in cast("list[Any]", value)]
    return value
