"""A compaction stands for what came before it, and says so to the model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.compaction import Summaries, Summary, divided, triggered, unfold
from gateway.errors import InvalidRequestError
from gateway.ids import Seal
from gateway.types.content import InputText
from gateway.types.items import Compaction, InputItem, Message
from gateway.types.request import decode_request

SUMMARIES = Summaries(Seal(b"secret"), "one")


def said(text: str, role: str = "user") -> Message:
    return Message(role=role, content=text)  # type: ignore[arg-type]  # a role in a test


def compaction(**members: Any) -> Compaction:
    return Compaction(encrypted_content=SUMMARIES.seal(Summary(**members)))


def words(items: tuple[InputItem, ...]) -> str:
    """Return the last lines of messages, all in one."""
    texts: list[str] = []
    for item in items:
        assert isinstance(item, Message)
        if isinstance(item.content, str):
            texts.append(item.content)
        else:
            texts += [part.text for part in item.content if isinstance(part, InputText)]
    return " | ".join(text.rpartition("\n")[2] for text in texts)


def test_what_came_before_is_replaced() -> None:
    items = (said("old"), said("so", "assistant"), compaction(text="S"), said("new"))
    unfolded = unfold(items, SUMMARIES)
    assert words(unfolded) == "S | new"
    told = unfolded[0]
    assert isinstance(told, Message)
    assert told.role == "user"


def test_instructions_stay() -> None:
    items = (said("brief", "system"), said("old"), said("kind", "developer"), compaction(text="S"))
    assert words(unfold(items, SUMMARIES)) == "brief | kind | S"


def test_what_users_said_stays_where_the_compaction_says_so() -> None:
    items = (said("old"), said("so", "assistant"), compaction(text="S", users_stay=True))
    assert words(unfold(items, SUMMARIES)) == "old | S"


def test_items_that_a_compaction_holds_come_after_the_summary() -> None:
    items = (said("old"), compaction(text="S", items=(said("kept"),)), said("new"))
    assert words(unfold(items, SUMMARIES)) == "S | kept | new"


def test_the_last_compaction_counts_and_earlier_ones_are_not_even_read() -> None:
    foreign = Compaction(encrypted_content="foreign")
    items = (foreign, said("old"), compaction(text="1"), compaction(text="2"), said("new"))
    assert words(unfold(items, SUMMARIES)) == "2 | new"


def test_a_foreign_compaction_is_refused_by_its_path() -> None:
    items = (compaction(text="1"), said("old"), Compaction(encrypted_content="foreign"))
    with pytest.raises(InvalidRequestError) as raised:
        unfold(items, SUMMARIES)
    assert raised.value.param == "input[2].encrypted_content"


def test_an_input_without_compactions_stays() -> None:
    assert unfold((said("a"), said("b")), SUMMARIES) == (said("a"), said("b"))


def items_of(*items: dict[str, Any]) -> tuple[InputItem, ...]:
    decoded = decode_request(json.dumps({"input": items})).input
    assert isinstance(decoded, tuple)
    return decoded


def test_a_trigger_is_the_last_item() -> None:
    user, trigger = {"role": "user", "content": "Hi"}, {"type": "compaction_trigger"}
    assert triggered(items_of(user, trigger))
    assert not triggered(items_of(user))
    assert not triggered(())
    with pytest.raises(InvalidRequestError) as raised:
        triggered(items_of(trigger, user))
    assert raised.value.param == "input[0].type"


def test_the_turn_at_hand_is_not_summarised() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    developer, old, user = ({"role": r, "content": r} for r in ("developer", "assistant", "user"))
    items = items_of(developer, old, user, old, call, output)
    assert divided(items) == ((items[1],), items[2:])
    assert divided(items_of(developer, user, call, output)) is None
