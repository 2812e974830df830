"""The input of a custom tool comes out as the model meant it, however its JSON is cut."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.lowering.custom_input import CustomInput

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\\n{}😀'))
values = st.recursive(
    texts | st.integers() | st.none(), lambda one: st.lists(one) | st.dictionaries(texts, one)
)


def read(pieces: Iterable[str]) -> str:
    reader = CustomInput()
    return "".join([*map(reader.feed, pieces), reader.close()])


@st.composite
def cut(draw: st.DrawFn, text: str) -> list[str]:
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@given(st.data(), texts, st.booleans(), st.sampled_from([None, 2]))
def test_any_text_comes_out_equal(
    data: st.DataObject, text: str, ascii_only: bool, indent: int | None
) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=ascii_only, indent=indent)
    assert read(data.draw(cut(arguments))) == text
    assert read(arguments) == text


@given(st.data(), texts, st.dictionaries(texts.filter(lambda key: key != "input"), values))
def test_other_members_do_not_matter(
    data: st.DataObject, text: str, others: dict[str, object]
) -> None:
    arguments = json.dumps({**others, "input": text, "after": '"}'})
    assert read(data.draw(cut(arguments))) == text


@given(st.data(), texts)
def test_what_is_no_object_is_the_input(data: st.DataObject, text: str) -> None:
    plain = f"*** {text}"
    assert read(data.draw(cut(plain))) == plain


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", ""),
        ("ls -la", "ls -la"),
        ('{ const x = {"input": 1} }', '{ const x = {"input": 1} }'),
        ('run({"input": "x"})', 'run({"input": "x"})'),
        ('{"patch": "x"}', '{"patch": "x"}'),
        ('{"input": 5}', '{"input": 5}'),
        ('{"\\u0069nput": "x"}', "x"),
        ('{"a": {"input": "no"}, "input": "yes"}', "yes"),
        ('{"a": "input", "input": "yes"}', "yes"),
        ('{"input": "a\nb"}', "a\nb"),
        ('{"input": "\\d+ \\u12 \\uzzzz."}', "\\d+ \\u12 \\uzzzz."),
        ('{"input": "\\ud83d!"}', "\ufffd!"),
        ('{"input": "\\ud83d"}', "\ufffd"),
        ('{"input": "\\ude00"}', "\ufffd"),
        ('{"input": "cut', "cut"),
    ],
)
def test_models_are_read_leniently(arguments: str, text: str) -> None:
    assert read([arguments]) == text
    assert read(arguments) == text


def test_the_input_is_not_held_back() -> None:
    reader = CustomInput()
    pieces = ['{"inp', 'ut": "ab', "c\\", "nd\\ud83d", "\\ude00e", '"', "}"]
    assert [reader.feed(piece) for piece in pieces] == ["", "ab", "c", "\nd", "😀e", "", ""]


def test_plain_text_is_not_held_back() -> None:
    reader = CustomInput()
    assert [reader.feed(piece) for piece in (" ", "*** ", "Begin")] == ["", " *** ", "Begin"]
