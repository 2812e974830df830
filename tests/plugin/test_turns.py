"""Whoever speaks, a conversation is made of turns."""

from gateway.plugin.turns import Turns


def test_what_a_role_says_without_another_in_between_is_one_message() -> None:
    turns = Turns()
    for role, block in (("user", "a"), ("user", "b"), ("assistant", "c"), ("user", "d")):
        turns.say(role, block)
    assert turns.messages == [
        {"role": "user", "content": ["a", "b"]},
        {"role": "assistant", "content": ["c"]},
        {"role": "user", "content": ["d"]},
    ]
    assert turns.last_role == "user"


def test_results_come_first_in_what_the_user_says_next() -> None:
    turns = Turns()
    turns.say("assistant", "call")
    turns.answer("result")
    turns.say("assistant", "another call")
    turns.answer("another result")
    turns.say("user", "words")
    turns.say("user")
    assert turns.messages == [
        {"role": "assistant", "content": ["call", "another call"]},
        {"role": "user", "content": ["result", "another result", "words"]},
    ]


def test_who_says_nothing_has_no_message() -> None:
    turns = Turns()
    turns.say("assistant")
    turns.say("user")
    assert turns.messages == []
    assert not turns.last_role
