"""The kit has a sample of everything, and each of them is what it says."""

import msgspec
import pytest

from gateway.testing.probes import SAYINGS, SETTINGS, texts, words
from gateway.testing.samples import (
    ITEMS,
    PARAMETERS,
    STRANGERS,
    TOOLS,
    item_types,
    parameters,
    tool_types,
)
from gateway.types.open import Unknown
from gateway.types.request import Request, decode_request


def plain(request: Request) -> object:
    return msgspec.json.decode(msgspec.json.encode(request))


def request_of(members: dict[str, object]) -> Request:
    return decode_request(msgspec.json.encode({"model": "some", "input": "Hello", **members}))


def test_there_is_a_sample_of_every_parameter_item_and_tool() -> None:
    assert PARAMETERS.keys() == {*parameters()}
    assert ITEMS.keys() == item_types()
    assert TOOLS.keys() == tool_types()


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_sample_of_a_parameter_is_understood(name: str) -> None:
    for value in PARAMETERS[name]:
        assert getattr(request_of({name: value}), name) is not None


@pytest.mark.parametrize("kind", ITEMS)
def test_a_sample_of_an_item_is_understood(kind: str) -> None:
    items = request_of({"input": [{"type": kind, **ITEMS[kind]}]}).input
    assert isinstance(items, tuple)
    (item,) = items
    assert not isinstance(item, Unknown)
    assert item.type == kind


@pytest.mark.parametrize("kind", TOOLS)
def test_a_sample_of_a_tool_is_understood(kind: str) -> None:
    tools = request_of({"tools": [{"type": kind, **TOOLS[kind]}]}).tools
    assert tools
    (tool,) = tools
    assert not isinstance(tool, Unknown)
    assert tool.type == kind


@pytest.mark.parametrize("path", STRANGERS)
def test_a_stranger_is_understood_as_unknown(path: str) -> None:
    assert "not_invented_yet" in {*texts(plain(request_of(STRANGERS[path])))}


@pytest.mark.parametrize("title", SAYINGS)
def test_the_words_of_a_saying_survive_the_reading(title: str) -> None:
    spoken = {word for word, _ in words(SAYINGS[title])}
    read = {word for word, _ in words(plain(request_of(SAYINGS[title])))}
    assert spoken
    assert read == spoken


def test_each_setting_is_a_change() -> None:
    for setting in SETTINGS:
        changed, ground = setting.requests
        assert request_of(changed) != request_of(ground)


def test_words_are_found_with_their_places() -> None:
    value = {"input": [{"text": "a probeUser b"}], "probeKey": {"data": "x;cHJvYmVQaXhlbHM="}}
    assert [*words(value)] == [
        ("probeUser", "input[0].text"),
        ("probeKey", "probeKey"),
        ("cHJvYmVQaXhlbHM", "probeKey.data"),
    ]


def test_texts_within_json_text_are_found() -> None:
    assert {"a", "é", "1", '{"a": "\\u00e9"}'} <= {*texts([{"b": '{"a": "\\u00e9"}'}, 1])}
