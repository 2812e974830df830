"""Compactions among the items of an input: what they stand for, and where one is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.compaction.summary import Summaries, Summary
from gateway.core.units import is_instruction, units_of
from gateway.errors import InvalidRequestError
from gateway.types.content import InputText
from gateway.types.items import Compaction, CompactionTrigger, InputItem, Message

__all__ = ["recent", "triggered", "unfold"]

_INTRODUCTION = (
    "The earlier part of this conversation was replaced by a summary of it, to save space. "
    "Go on from here. The summary:\n\n"
)


def unfold(items: Sequence[InputItem], summaries: Summaries) -> tuple[InputItem, ...]:
    """Return `items` with the summary in the place of what the last compaction stands for.

    Instructions before it stay: they are no part of the conversation. Raises `InvalidRequestError`
    for a compaction that cannot be read.
    """
    positions = [p for p, item in enumerate(items) if isinstance(item, Compaction)]
    if not positions:
        return tuple(items)
    last = positions[-1]
    compaction = items[last]
    assert isinstance(compaction, Compaction)
    summary = summaries.open(compaction.encrypted_content, f"input[{last}].encrypted_content")
    before = (item for item in items[:last] if _stays(item, summary))
    return (*before, _told(summary), *summary.items, *items[last + 1 :])


def triggered(items: Sequence[InputItem]) -> bool:
    """Say whether a compaction is asked for: by the last item. Raises `InvalidRequestError` if by
    another.
    """
    for position, item in enumerate(items[:-1]):
        if isinstance(item, CompactionTrigger):
            raise InvalidRequestError(
                "compaction_trigger must be the last item of the input",
                code="invalid_value",
                param=f"input[{position}].type",
            )
    return bool(items) and isinstance(items[-1], CompactionTrigger)


def recent(items: Sequence[InputItem]) -> tuple[InputItem, ...] | None:
    """Return what a compaction on the way must leave as it is, other than instructions; None if
    there is nothing else.
    """
    units = units_of(items)
    if all(unit.stays for unit in units):
        return None
    kept = {position for unit in units if unit.stays for position in unit.positions}
    return tuple(
        item for position, item in enumerate(items) if position in kept and not is_instruction(item)
    )


def _stays(item: InputItem, summary: Summary) -> bool:
    is_users = isinstance(item, Message) and item.role == "user"
    return is_instruction(item) or (summary.users_stay and is_users)


def _told(summary: Summary) -> Message:
    return Message(role="user", content=(InputText(text=_INTRODUCTION + summary.text),))
