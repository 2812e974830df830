"""Our types name everything that the official SDK's types name."""

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from openai.types.responses import (
    Response as SdkResponse,
)
from openai.types.responses import (
    ResponseInputItem,
    ResponseOutputItem,
    ResponseStreamEvent,
)
from openai.types.responses import (
    Tool as SdkTool,
)
from openai.types.responses.input_token_count_params import InputTokenCountParams
from openai.types.responses.response_compact_params import ResponseCompactParams
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from openai.types.responses.tool_param import ToolParam

from gateway.types import events, items, request, response, tools

SENT_BY_OPENAI_ONLY = {
    "response.apply_patch_call_operation_diff.delta",
    "response.apply_patch_call_operation_diff.done",
    "keepalive",
}


def flattened(union: Any) -> Iterator[Any]:
    """Yield the classes of a union, which the SDK nests in `Annotated` and other unions."""
    if isinstance(union, type) and hasattr(union, "model_fields"):
        yield union
        return
    for member in get_args(union):
        yield from flattened(member)


def sdk_fields(union: Any) -> dict[str, set[str]]:
    """Map each `type` of an SDK union to the field names of all its classes."""
    found: dict[str, set[str]] = {}
    for model in flattened(union):
        names = {field.alias or name for name, field in model.model_fields.items()}
        for kind in get_args(model.model_fields["type"].annotation):
            for literal in [kind, *get_args(kind)]:
                if isinstance(literal, str):
                    found.setdefault(literal, set()).update(names)
    return found


def our_fields(marker: Any) -> dict[str, set[str]]:
    variants = marker.members.variants
    return {kind: set(struct.__struct_encode_fields__) for kind, struct in variants.items()}


def missing(theirs: dict[str, set[str]], ours: dict[str, set[str]]) -> dict[str, set[str]]:
    gaps = {kind: names - ours.get(kind, set()) - {"type"} for kind, names in theirs.items()}
    return {kind: names for kind, names in gaps.items() if names or kind not in ours}


def test_every_event_of_the_sdk_is_known_with_all_its_fields() -> None:
    ours = {
        event.__struct_config__.tag: set(event.__struct_encode_fields__)
        for event in get_args(events.KnownEvent)
    }
    theirs = sdk_fields(ResponseStreamEvent)
    # OpenAI pads deltas with it; we send none and read none, but keep it in the event's bytes.
    theirs["response.shell_call_command.delta"].discard("obfuscation")

    assert missing(theirs, ours) == {}
    assert ours.keys() - theirs.keys() == SENT_BY_OPENAI_ONLY


@pytest.mark.parametrize(
    ("union", "marker"),
    [
        pytest.param(ResponseOutputItem, items.OutputItem, id="output items"),
        pytest.param(SdkTool, tools.Tool, id="tools"),
    ],
)
def test_every_item_and_tool_of_the_sdk_is_known_with_all_its_fields(
    union: Any, marker: Any
) -> None:
    assert missing(sdk_fields(union), our_fields(marker)) == {}


def test_every_input_item_of_the_sdk_is_known_with_all_its_fields() -> None:
    theirs = sdk_fields(ResponseInputItem)

    assert len(theirs) >= 31
    assert missing(theirs, our_fields(items.InputItem)) == {}


def test_a_response_has_every_field_of_the_sdk() -> None:
    theirs = {field.alias or name for name, field in SdkResponse.model_fields.items()}

    assert theirs - set(response.Response.__struct_encode_fields__) == set()


@pytest.mark.parametrize(
    ("parameters", "struct"),
    [
        pytest.param(ResponseCreateParamsStreaming, request.Request, id="create"),
        pytest.param(ResponseCompactParams, request.CompactRequest, id="compact"),
        pytest.param(InputTokenCountParams, request.InputTokensRequest, id="input_tokens"),
    ],
)
def test_a_request_has_every_parameter_of_the_sdk(
    parameters: Any, struct: type[msgspec.Struct]
) -> None:
    assert set(get_type_hints(parameters)) - set(struct.__struct_encode_fields__) == set()


def test_all_tool_parameters_of_the_sdk_are_tools_of_ours() -> None:
    kinds = {
        literal
        for member in get_args(ToolParam)
        for literal in get_args(get_type_hints(member)["type"])
    }

    assert kinds
    assert kinds <= our_fields(tools.Tool).keys()
