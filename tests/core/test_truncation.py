"""An input that is too long loses its older half, and nothing that others depend on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.truncation import shortened
from gateway.core.units import is_instruction, units_of
from gateway.types.items import FunctionCall, FunctionCallOutput, InputItem, Message, Reasoning


def said(text: str, role: str = "user") -> Message:
    return Message(role=role, content=text)  # type: ignore[arg-type]  # a role in a test


TURNS = st.lists(
    st.sampled_from(
        [
            (said("What now?"),),
            (said("Do it.", "developer"),),
            (said("Well, " + "well, " * 40, "assistant"),),
            (
                Reasoning(),
                FunctionCall(call_id="a", name="f", arguments="{}"),
                FunctionCallOutput(call_id="a", output="done " * 10),
            ),
        ]
    ),
    max_size=12,
)


def test_the_oldest_go_first() -> None:
    items = tuple(said(f"line {number}") for number in range(9))
    assert shortened(items) == items[4:]


def test_half_is_meant_by_size() -> None:
    items = (said("long " * 1000), *(said("short") for _ in range(9)))
    assert shortened(items) == items[1:]


def test_instructions_stay_where_they_are() -> None:
    items = (said("Be brief.", "system"), said("One"), said("Two"), said("Three"))
    assert shortened(items) == (items[0], items[2], items[3])


def test_what_cannot_be_shortened_is_left() -> None:
    assert shortened(()) is None
    assert shortened((said("Be brief.", "developer"), said("Hello"))) is None


@given(TURNS)
def test_pairs_instructions_and_the_last_words_are_never_lost(
    turns: list[tuple[InputItem, ...]],
) -> None:
    items = _distinct(turns)
    while (rest := shortened(items)) is not None:
        assert len(rest) < len(items)
        assert [item for item in items if item in rest] == list(rest)
        assert [i for i in rest if is_instruction(i)] == [i for i in items if is_instruction(i)]
        assert rest[-1] == items[-1]
        for unit in units_of(items):
            assert len({item in rest for item in unit.items}) == 1
        users = [item for item in items if isinstance(item, Message) and item.role == "user"]
        assert not users or users[-1] in rest
        items = rest


def _distinct(turns: list[tuple[InputItem, ...]]) -> tuple[InputItem, ...]:
    """Return the items of `turns` with ids and call ids of their own."""
    items: list[InputItem] = []
    for number, turn in enumerate(turns):
        for item in turn:
            match item:
                case FunctionCall():
                    item = FunctionCall(call_id=f"c{number}", name="f", arguments="{}")
                case FunctionCallOutput():
                    item = FunctionCallOutput(call_id=f"c{number}", output=item.output)
                case Message():
                    item = Message(role=item.role, content=item.content, id=f"msg_{number}")
                case _:
                    item = Reasoning(id=f"rs_{number}")
            items.append(item)
    return tuple(items)
