"""Which items of a context belong together, and which of them cannot go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from gateway.types.items import (
    AdditionalTools,
    ConfigurationUpdate,
    InputItem,
    LocalShellCallOutput,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListTools,
    Message,
    Program,
    Reasoning,
)
from gateway.types.open import Unknown

__all__ = ["Unit", "is_instruction", "units_of"]

_MADE_BY_MODELS = (Reasoning, McpApprovalRequest, Program)
_INSTRUCTIONS = (AdditionalTools, ConfigurationUpdate, McpListTools)


class Unit(Struct, frozen=True, kw_only=True):
    """Items that make no sense without each other: what the model said at once, be it thoughts,
    words or calls, and the outputs of these calls. `stays` says that it must not go.
    """

    items: tuple[InputItem, ...]
    positions: tuple[int, ...]
    stays: bool


def units_of(items: Sequence[InputItem]) -> tuple[Unit, ...]:
    """Return the units of `items`, in the order in which they begin.

    What stays are instructions, the last message of a user, and the last unit, for that is what the
    model is about to answer.
    """
    groups = _groups(items)
    staying = {position for position, item in enumerate(items) if is_instruction(item)}
    staying |= {len(items) - 1, _last_of_user(items)}
    return tuple(
        Unit(
            items=tuple(items[position] for position in group),
            positions=tuple(group),
            stays=not staying.isdisjoint(group),
        )
        for group in groups
    )


def is_instruction(item: InputItem) -> bool:
    """Say whether `item` sets the model up rather than being part of the conversation."""
    if isinstance(item, Message):
        return item.role in ("system", "developer")
    return isinstance(item, _INSTRUCTIONS)


def _last_of_user(items: Sequence[InputItem]) -> int:
    found = [p for p, item in enumerate(items) if isinstance(item, Message) and item.role == "user"]
    return found[-1] if found else -1


def _groups(items: Iterable[InputItem]) -> list[list[int]]:
    groups: list[list[int]] = []
    turns: dict[str, list[int]] = {}
    before: InputItem | None = None
    for position, item in enumerate(items):
        call = _call_of(item)
        if _is_output(item) and call in turns:
            group = turns[call]
        elif before is not None and _goes_on(before, item):
            group = groups[-1]
        else:
            group = list[int]()
            groups.append(group)
        group.append(position)
        if _is_made_by_model(item):
            turns[call] = group
        before = item
    return groups


def _goes_on(before: InputItem, item: InputItem) -> bool:
    """Say whether the model said `item` at once with what is right `before` it.

    A call of an MCP server is its own output. So only more calls were made at once with it, and
    none if the client had to approve it.
    """
    if isinstance(before, McpCall) and (before.approval_request_id or not _is_call(item)):
        return False
    return _is_made_by_model(before) and _is_made_by_model(item)


def _is_made_by_model(item: InputItem) -> bool:
    if isinstance(item, Message):
        return item.role == "assistant"
    return isinstance(item, _MADE_BY_MODELS) or _is_call(item)


def _is_call(item: InputItem) -> bool:
    return isinstance(item, McpApprovalRequest) or item.type.endswith("_call")


def _is_output(item: InputItem) -> bool:
    """Say whether `item` is what came of an earlier one; a call that was approved is."""
    match item:
        case McpCall(approval_request_id=asked):
            return asked is not None
        case _:
            return isinstance(item, McpApprovalResponse) or item.type.endswith("_output")


def _call_of(item: InputItem) -> str:
    """Return what a call and its output have in common: an id, or else their kind."""
    match item:
        case LocalShellCallOutput():
            named = item.call_id or item.id  # OpenAI's shape names the call by `id`
        case McpApprovalRequest(id=named) | McpCall(approval_request_id=None, id=named):
            pass
        case McpApprovalResponse(approval_request_id=named) | McpCall(approval_request_id=named):
            pass
        case Unknown():
            named = item.get("call_id")
        case _:
            named = getattr(item, "call_id", None)
    return str(named or item.type.removesuffix("_output").removesuffix("_call"))
