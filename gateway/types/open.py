"""Open unions: values told apart by their `type`, where a type nobody knows yet is kept verbatim.

msgspec refuses a tagged union when it meets an unknown tag, but OpenAI and the other vendors add
item, tool and event types every month. So at run time an open union is a marker class that
msgspec treats as a custom type, and `decode_hook` picks the Struct. For the type checker the same
name is an ordinary union of the Structs and `Unknown`:

    if TYPE_CHECKING:
        Shape = Circle | Square | Unknown
    else:
        Shape = open_union("Shape", Circle, Square)
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgspec
from msgspec import Struct

__all__ = ["Unknown", "decode_hook", "lenient_hook", "open_union", "problem"]


class Unknown(dict[str, Any]):
    """A value of a type that we do not know: all of its JSON, which encodes as it came."""

    __slots__ = ()

    @property
    def type(self) -> str:
        """The value's own `type`, or "" when it has none."""
        kind = self.get("type")
        return kind if isinstance(kind, str) else ""

    def to_dict(self) -> dict[str, Any]:
        return dict(self)

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()


class Members(Struct, frozen=True, kw_only=True):
    """What an open union may hold: Structs by `type`, strings, and a guess at a missing type."""

    variants: dict[str, type[Struct]]
    literals: frozenset[str]
    guess: Callable[[dict[str, Any]], str]


class OpenUnion(type):
    """The class of the markers that `open_union` makes; every decoded value is an instance."""

    members: Members

    def __instancecheck__(cls, instance: object, /) -> bool:
        return True  # msgspec checks what the hook returned; the hook has already decided


def _no_type(value: dict[str, Any]) -> str:
    return ""


def open_union(
    name: str,
    *structs: type[Struct],
    aliases: Mapping[str, type[Struct]] | None = None,
    literals: Iterable[str] = (),
    guess: Callable[[dict[str, Any]], str] = _no_type,
) -> OpenUnion:
    """Make the marker for *structs*, each of which is found by its tag.

    *aliases* are further `type` strings; a tagged Struct reads them as its own tag, a Struct with
    a `type` field of its own keeps them. *literals* are strings that are values by themselves.
    *guess* names the type of an object that does not say it.
    """
    union = OpenUnion(name, (), {})
    tagged = {str(struct.__struct_config__.tag): struct for struct in structs}
    union.members = Members(
        variants={**tagged, **(aliases or {})}, literals=frozenset(literals), guess=guess
    )
    return union


def decode_hook(expected: type, value: Any) -> Any:
    """Decode a member of an open union; a known type whose fields are wrong raises ValueError."""
    return _decode(expected, value, decode_hook)


def lenient_hook(expected: type, value: Any) -> Any:
    """Like `decode_hook`, for what upstreams send: a value that does not fit is kept verbatim."""
    try:
        return _decode(expected, value, lenient_hook)
    except ValueError:
        if isinstance(value, dict):
            return Unknown(cast("dict[str, Any]", value))
        if isinstance(value, str) and cast("OpenUnion", expected).members.literals:
            return value
        raise


def _decode(expected: type, value: Any, hook: Callable[[type, Any], Any]) -> Any:
    if not isinstance(expected, OpenUnion):
        raise NotImplementedError(f"{expected} is not an open union")
    members = expected.members
    if not isinstance(value, dict):
        return _literal(members, value)
    fields = cast("dict[str, Any]", value)
    struct = members.variants.get(_type_of(members, fields))
    if struct is None:
        return Unknown(fields)
    tag = struct.__struct_config__.tag
    if tag is not None and fields.get("type") != tag:
        fields = {**fields, "type": tag}
    try:
        return msgspec.convert(fields, struct, dec_hook=hook)
    except msgspec.ValidationError as error:
        # msgspec appends the outer path to the text of a ValueError only.
        raise ValueError(str(error)) from None


def _literal(members: Members, value: Any) -> str:
    if isinstance(value, str) and value in members.literals:
        return value
    wanted = " | ".join([*(f"`{literal}`" for literal in sorted(members.literals)), "`object`"])
    found = f"'{value}'" if isinstance(value, str) and members.literals else _json_name(value)
    raise ValueError(f"Expected {wanted}, got {found}")


def _type_of(members: Members, fields: dict[str, Any]) -> str:
    kind = fields.get("type")
    if kind is None:
        return members.guess(fields)
    if isinstance(kind, str):
        return kind
    raise ValueError(f"Expected `str`, got {_json_name(kind)} - at `$.type`")


def _json_name(value: Any) -> str:
    match value:
        case None:
            return "`null`"
        case list():
            return "`array`"
        case dict():
            return "`object`"
        case _:
            return f"`{type(cast('object', value)).__name__}`"


_PLACE = re.compile(r" - at (?:`key` in )?`\$([^`]*)`")
_MISSING = re.compile(r"[Oo]bject missing required field `([^`]+)`")


def problem(error: msgspec.ValidationError) -> tuple[str, str | None]:
    """Split msgspec's text into the message and the path as OpenAI writes it.

    >>> problem(msgspec.ValidationError("Expected `int`, got `str` - at `$.x` - at `$.input[0]`"))
    ('expected `int`, got `str`', 'input[0].x')

    The path is None when the whole body is wrong. A missing field is part of the path.
    """
    text = str(error)
    places = _PLACE.findall(text)
    message = _PLACE.sub("", text)
    path = "".join(reversed(places))  # each open union adds its own place: the innermost is first
    missing = _MISSING.match(message)
    if missing:
        path = f"{path}.{missing[1]}"
    path = path.replace("[...]", "").removeprefix(".")
    return message[:1].lower() + message[1:], path or None
