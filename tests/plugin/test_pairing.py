"""Calls and their outputs belong together by id and by type."""

from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequestError
from gateway.plugin.pairing import pair_outputs
from gateway.types.items import InputItem
from gateway.types.request import decode_request

SHOT = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AAAA"}


def items_of(*items: dict[str, Any]) -> tuple[InputItem, ...]:
    request = decode_request(msgspec.json.encode({"model": "m", "input": items}))
    assert isinstance(request.input, tuple)
    return request.input


def call(kind: str, call_id: str = "a") -> dict[str, Any]:
    more = {
        "function_call": {"name": "f", "arguments": "{}"},
        "custom_tool_call": {"name": "f", "input": ""},
        "computer_call": {"actions": [{"type": "screenshot"}]},
    }
    return {"type": kind, "call_id": call_id, **more[kind]}


def output(kind: str, call_id: str = "a") -> dict[str, Any]:
    told = SHOT if kind == "computer_call" else "done"
    return {"type": f"{kind}_output", "call_id": call_id, "output": told}


@pytest.mark.parametrize("kind", ["function_call", "custom_tool_call", "computer_call"])
def test_a_call_has_the_output_of_its_id_and_type(kind: str) -> None:
    items = items_of(call(kind), call(kind, "b"), output(kind, "b"), output(kind))

    assert pair_outputs(items) == {0: items[3], 1: items[2]}


def test_calls_that_share_an_id_are_answered_in_their_order() -> None:
    kind = "function_call"
    items = items_of(call(kind), call(kind), output(kind), output(kind))

    assert pair_outputs(items) == {0: items[2], 1: items[3]}


def test_a_call_is_not_answered_by_an_output_of_another_type() -> None:
    with pytest.raises(InvalidRequestError, match="No tool call found"):
        pair_outputs(items_of(call("function_call"), output("computer_call")))


def test_a_call_without_an_output_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"^No tool output found for .* call b\.$"):
        pair_outputs(items_of(call("computer_call", "b")))
