"""Compactions among the items of an input: what they stand for, and where one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.core.compaction.summary import Summaries, Summary
from gateway.core.units import is_instruction, units_of
from gateway.errors import InvalidRequestError
from gateway.types.content import InputText
from gateway.types.items import Compaction, CompactionTrigger, InputItem, Message

__all__ = ["Items", "divided", "replaced", "triggered", "unfold", "users_words"]

Items = tuple[InputItem, ...]

_INTRODUCTION = (
    "The earlier part of this conversation was replaced by a summary of it, to save space. "
    "Go on from here. The summary:\n\n"
)


def unfold(items: Items, summaries: Summaries, name: Callable[[str], str] = str) -> Items:
    """Return `items` with the summary in the place of what the last compaction stands for.

    Instructions before it stay: they are no part of the conversation. Raises `InvalidRequestError`
    for a compaction that cannot be read; `name` says what the client calls the path of an item.
    """
    last = max((p for p, item in enumerate(items) if isinstance(item, Compaction)), default=-1)
    if last < 0:
        return items
    compaction = items[last]
    assert isinstance(compaction, Compaction)
    path = name(f"input[{last}].encrypted_content")
    summary = summaries.open(compaction.encrypted_content, path)
    return (*replaced(items[:last], summary), *items[last + 1 :])


def replaced(items: Sequence[InputItem], summary: Summary) -> Items:
    """Return what is sent in the place of `items`, which `summary` stands for."""
    told = Message(role="user", content=(InputText(text=_INTRODUCTION + summary.text),))
    return (*(item for item in items if _stays(item, summary)), told, *summary.items)


def divided(items: Items) -> tuple[Items, Items] | None:
    """Return what of `items` a compaction on the way may summarise, and what it leaves as it is,
    both without instructions; None if there is nothing to summarise.
    """
    units = units_of(items)
    if all(unit.stays for unit in units):
        return None
    kept = {position for unit in units if unit.stays for position in unit.positions}
    told = [(p in kept, item) for p, item in enumerate(items) if not is_instruction(item)]
    old = tuple(item for stays, item in told if not stays)
    return old, tuple(item for stays, item in told if stays)


def users_words(items: Items) -> tuple[Message, ...]:
    """Return what users said, without what they were told to have said by `replaced`."""
    return tuple(
        item
        for item in items
        if isinstance(item, Message) and item.role == "user" and not _is_told(item)
    )


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


def _is_told(message: Message) -> bool:
    part = message.content[0] if message.content else None
    return isinstance(part, InputText) and part.text.startswith(_INTRODUCTION)


def _stays(item: InputItem, summary: Summary) -> bool:
    is_users = isinstance(item, Message) and item.role == "user"
    return is_instruction(item) or (summary.users_stay and is_users)
