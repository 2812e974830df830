"""What AWS's own description of Converse says of the bodies that we send."""

import re
from base64 import b64decode
from collections.abc import Iterator
from importlib import import_module  # botocore has no types
from typing import Any, cast

__all__ = ["check_converse", "check_count"]

SERVICE = import_module("botocore.session").Session().get_service_model("bedrock-runtime")
VALIDATOR = import_module("botocore.validate").ParamValidator()


def check_converse(body: Any) -> None:
    """Raise `ValueError` if `body` is none of ConverseStream, or breaks a rule for its turns."""
    check_input("ConverseStream", body)
    refuse(broken_rules(body))


def check_count(body: Any) -> None:
    """Raise `ValueError` if `body` is none of CountTokens that asks about a conversation."""
    check_input("CountTokens", body)
    refuse(broken_rules(body["input"]["converse"]))


def check_input(operation: str, body: Any) -> None:
    """Raise `ValueError` if botocore finds anything wrong, enums, patterns and unions included."""
    shape = SERVICE.operation_model(operation).input_shape
    given = cast("dict[str, Any]", native(shape, body)) | {"modelId": "anthropic.claude"}
    report = VALIDATOR.validate(given, shape).generate_report()
    refuse([line for line in [report, *details(shape, given, "")] if line])


def refuse(complaints: list[str]) -> None:
    if complaints:
        raise ValueError("\n".join(complaints))


def broken_rules(body: Any) -> list[str]:
    """Return which rules for turns and tools, which no shape can say, `body` breaks."""
    messages = body["messages"]
    broken = [
        f"messages[{position}] is not of the {expected}"
        for position, message in enumerate(messages)
        if message["role"] != (expected := ("user", "assistant")[position % 2])
    ]
    called = any("toolUse" in block for message in messages for block in message["content"])
    return broken + ["who has called tools has some"] * (called and "toolConfig" not in body)


def native(shape: Any, value: Any) -> Any:
    """Return `value` as the SDK takes it: with bytes where JSON has base64."""
    match shape.type_name:
        case "blob":
            return b64decode(value, validate=True)
        case "structure" if isinstance(value, dict) and not shape.is_document_type:
            members = cast("dict[str, Any]", value)
            known = shape.members
            return {n: native(known[n], v) if n in known else v for n, v in members.items()}
        case "list":
            return [native(shape.member, one) for one in value]
        case _:
            return value


def details(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Yield what botocore leaves to the server to find."""
    match shape.type_name:
        case "structure" if not shape.is_document_type:
            if shape.is_tagged_union and len(value) != 1:
                yield f"{path} is not one of a union: {[*value]}"
            for name in value.keys() & shape.members.keys():
                yield from details(shape.members[name], value[name], f"{path}.{name}")
        case "list":
            for position, one in enumerate(value):
                yield from details(shape.member, one, f"{path}[{position}]")
        case "string":
            pattern, most = shape.metadata.get("pattern", ".*"), shape.metadata.get("max", 2**31)
            known = not shape.enum or value in shape.enum
            if not (known and len(value) <= most and re.fullmatch(pattern, value, re.DOTALL)):
                yield f"{path} is none of {shape.enum}, or not {pattern}, or too long: {value!r}"
        case _:
            pass
