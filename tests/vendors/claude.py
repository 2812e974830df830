"""What the types of Anthropic's own SDK say of the bodies that we send."""

import re
import types
import typing
from itertools import pairwise
from typing import Any, Literal

import typing_extensions
from anthropic.types import MessageParam
from anthropic.types.beta import BetaMessageParam
from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParamsStreaming

__all__ = ["check_count", "check_message"]

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
SAMPLERS = {"temperature", "top_p"}  # the SDK is of an API version that has no such members


def check_message(body: Any) -> None:
    """Raise `ValueError` if `body` is none of a streamed message."""
    known = {name: value for name, value in body.items() if name not in SAMPLERS}
    check_body(known, MessageCreateParamsStreaming)


def check_count(body: Any) -> None:
    """Raise `ValueError` if `body` is none that asks for the number of tokens."""
    check_body(body, MessageCountTokensParams)


def check_body(body: Any, kind: Any) -> None:
    """Raise `ValueError` if `body` is not of the type `kind`, or if its turns break a rule.

    What the assistant has said comes back verbatim: it may be of a beta, and have empty members
    that the API told of before the SDK knew them.
    """
    messages = body["messages"]
    others = {**body, "messages": [one for one in messages if one["role"] != "assistant"]}
    said = without_nulls([one for one in messages if one["role"] == "assistant"])
    refuse(
        mismatches(others, kind, "body")
        + mismatches(said, list[MessageParam | BetaMessageParam], "said")
        + broken_rules(body)
    )


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def refuse(complaints: list[str]) -> None:
    if complaints:
        raise ValueError("\n".join(complaints))


def broken_rules(body: Any) -> list[str]:
    """Return which rules for turns and names, which no type can say, `body` breaks."""
    roles = [message["role"] for message in body["messages"]]
    twice = [f"{one} speaks twice" for one, other in pairwise(roles) if one == other]
    blocks = [block for message in body["messages"] for block in message["content"]]
    named = [
        *body.get("tools", ()),
        *(block for block in blocks if isinstance(block, dict) and block["type"] == "tool_use"),
    ]
    names = [one["name"] for one in named if "name" in one]
    return twice + [f"{name!r} is no name" for name in names if not NAME.fullmatch(name)]


def mismatches(value: Any, kind: Any, path: str) -> list[str]:
    """Return where `value` is not of the type `kind`; unlike pydantic, this looks into iterables
    and allows no members besides those of a `TypedDict`.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if typing_extensions.is_typeddict(kind):
        return unlike(value, kind, path)
    if origin in (typing.Required, typing.Annotated):
        return mismatches(value, arguments[0], path)
    if origin in (typing.Union, types.UnionType):  # the fewest that any of its members has
        return min((mismatches(value, one, path) for one in arguments), key=len)
    if origin is Literal:
        return [] if value in arguments else [f"{path}: {value!r} is none of {arguments}"]
    if origin is None:
        allowed: Any = int | float if kind is float else kind
        return [] if isinstance(value, allowed) else [f"{path}: {value!r} is no {kind}"]
    return within(value, arguments[-1], path, list if origin is not dict else dict)


def within(value: Any, kind: Any, path: str, container: type) -> list[str]:
    if not isinstance(value, container):
        return [f"{path}: {value!r} is no {container}"]
    members = value.items() if isinstance(value, dict) else enumerate(value)
    return [bad for key, one in members for bad in mismatches(one, kind, f"{path}[{key}]")]


def unlike(value: Any, kind: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no object"]
    hints = typing_extensions.get_type_hints(kind, include_extras=True)
    needed = {name for name, hint in hints.items() if typing.get_origin(hint) is typing.Required}
    missing = [f"{path}.{name} is missing" for name in needed - value.keys()]
    unknown = [f"{path}.{name} is unknown" for name in value.keys() - hints.keys()]
    known = value.keys() & hints.keys()
    inner = [
        bad for name in known for bad in mismatches(value[name], hints[name], f"{path}.{name}")
    ]
    return missing + unknown + inner
