"""What dialects of several vendors say alike: token counts, bodies, tools that ran, schemas."""

import re
from base64 import b64decode
from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequestError, UpstreamProtocolError
from gateway.plugin.bodies import members_of, objects_in, read_count, refusing_depth
from gateway.plugin.carriers import carry
from gateway.plugin.citations import cite
from gateway.plugin.computer import Way, scroll, scrolled
from gateway.plugin.content import items_of, read_data_url
from gateway.plugin.failures import seconds_until
from gateway.plugin.hosted import code_call, page_call, search_call
from gateway.plugin.names import safe_name, told_names
from gateway.plugin.quirks import NEWEST, Version, version_in
from gateway.plugin.schemas import Schema, rewrite_inner
from gateway.plugin.usage import Tally, count_usage
from gateway.types.computer_items import Scroll
from gateway.types.request import decode_request

EVERYTHING = ("web_search_call.action.sources", "code_interpreter_call.outputs")


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def without_titles(schema: Schema) -> Schema:
    return {
        name: rewrite_inner(name, value, without_titles)
        for name, value in schema.items()
        if name != "title"
    }


def test_tokens_of_the_cache_and_of_thoughts_are_part_of_the_rest() -> None:
    usage = count_usage(9, 4, cached=3, written=2, thought=1)
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (9, 4, 13)
    assert usage.input_tokens_details.cached_tokens == 3
    assert usage.input_tokens_details.cache_write_tokens == 2
    assert usage.output_tokens_details.reasoning_tokens == 1


def test_reports_replace_each_other_within_an_answer_and_add_up_across_answers() -> None:
    tally = Tally()
    tally.add({"in": 3, "out": 1, "words": "many"})
    tally.add({"in": None, "out": 2})
    assert tally.pause()
    assert tally.resume()
    tally.add({"in": 4})
    assert [tally.sum(name) for name in ("in", "out", "words")] == [7, 2, 0]


def test_an_answer_goes_on_ten_times_at_most() -> None:
    tally = Tally()
    for _ in range(10):
        assert tally.pause()
        assert tally.resume()
        assert not tally.resume()
    assert not tally.pause()
    assert not tally.resume()


def test_a_request_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="nested too deeply"), refusing_depth():
        msgspec.json.encode(nested(100_000))


def test_a_number_of_tokens_is_read_from_its_member() -> None:
    assert read_count(b'{"more":"a","tokens":3}', "tokens") == 3


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"tokens":"3"}', b'{"tokens":null}'])
def test_an_answer_without_a_number_of_tokens_is_a_failure_of_the_upstream(body: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        read_count(body, "tokens")


def test_a_search_names_its_sources_only_to_who_asks() -> None:
    told = {"type": "search", "query": "a", "queries": ["a", "b"]}
    silent = search_call(["a", "b"], ["https://a.test"], (), status="completed")
    assert silent.action == told
    open_ = search_call(["a", "b"], ["https://a.test"], EVERYTHING, status="completed")
    assert open_.action == {**told, "sources": [{"type": "url", "url": "https://a.test"}]}


def test_a_page_is_opened() -> None:
    action = {"type": "open_page", "url": "https://a.test"}
    assert page_call("https://a.test", status="failed").action == action


def test_code_names_its_outputs_only_to_who_asks() -> None:
    assert code_call("1", "logs", (), status="completed").outputs is None
    told = code_call("1", "logs", EVERYTHING, status="completed", container="c")
    assert (told.outputs, told.container_id) == (({"type": "logs", "logs": "logs"},), "c")


def test_every_schema_within_a_schema_is_rewritten_and_nothing_else() -> None:
    inner = {"title": "Gone.", "type": "string"}
    schema = {
        "properties": {"title": inner},
        "items": [inner, True],
        "enum": [{"title": "Data."}],
        "default": {"title": "Data."},
    }
    assert without_titles(schema) == {
        "properties": {"title": {"type": "string"}},
        "items": [{"type": "string"}, True],
        "enum": [{"title": "Data."}],
        "default": {"title": "Data."},
    }


@pytest.mark.parametrize("way", ["up", "down", "left", "right"])
def test_a_scroll_is_read_as_it_was_written(way: Way) -> None:
    action = msgspec.convert({"type": "scroll", "x": 1, "y": 2, **scroll(way, 300)}, Scroll)
    assert scrolled(action) == (way, 300)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"url": "https://a.test", "file_id": "f"}, "url_citation"),
        ({"url": "s3://a", "file_id": "f"}, "file_citation"),
        ({"url": "s3://a"}, None),
    ],
)
def test_a_source_is_a_page_or_a_file_or_none(source: dict[str, str], kind: str | None) -> None:
    cited = cite((1, 2), title="A", **source)
    assert getattr(cited, "type", None) == kind


def test_what_is_no_object_has_no_members() -> None:
    assert members_of({"a": 1}) == {"a": 1}
    assert members_of(["a"]) == members_of(None) == {}
    assert objects_in([{"a": 1}, "b"]) == [{"a": 1}, {}]
    assert objects_in({"a": 1}) == objects_in(None) == []


@pytest.mark.parametrize(
    ("sent", "read"),
    [("AAAA", "AAAA"), ("aGk", "aGk="), ("aGk===", "aGk="), ("_-8=", "/+8="), ("AA\r\nAA", "AAAA")],
)
def test_data_is_read_as_strict_vendors_want_it(sent: str, read: str) -> None:
    assert read_data_url(f"data:Image/PNG;base64,{sent}") == ("image/png", read)
    assert b64decode(read, validate=True)


@pytest.mark.parametrize("sent", ["", "A", "AAAAA", "AA=A", "AA*A", "é", "\ud800"])
def test_broken_data_is_refused(sent: str) -> None:
    with pytest.raises(InvalidRequestError, match="base64"):
        read_data_url(f"data:image/png;base64,{sent}")


@pytest.mark.parametrize("url", ["data:image/png,raw", "data:;base64,AAAA"])
def test_a_data_url_says_what_it_holds(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="must hold base64"):
        read_data_url(url)
    assert read_data_url("https://a.test/data:") is None


@pytest.mark.parametrize("name", ["tell.me", "a tool", "x" * 65, ""])
def test_a_name_that_not_all_vendors_take_becomes_one_that_they_do(name: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", safe_name(name))
    assert safe_name(name) != safe_name(f"{name}.")
    tool = {"type": "function", "name": name}
    request = decode_request(msgspec.json.encode({"tools": [tool, {"type": "web_search"}]}))
    assert told_names(request) == {safe_name(name): name}


def test_a_name_that_a_vendor_takes_stays_there() -> None:
    allowed = re.compile(r"[a-z.]+")
    assert safe_name("tell.me", allowed) == "tell.me"
    assert safe_name("3d", allowed).startswith("_d_")
    call = {"type": "function_call", "call_id": "c", "name": "3d", "arguments": "{}"}
    request = decode_request(msgspec.json.encode({"input": [call]}))
    assert told_names(request, allowed) == {safe_name("3d", allowed): "3d"}


def test_a_name_that_all_vendors_take_stays() -> None:
    assert safe_name("Look_at-2") == "Look_at-2"


@pytest.mark.parametrize(
    ("model", "version"),
    [("claude-opus-4-8", (4, 8)), ("claude-9", (9, 0)), ("house-model", NEWEST)],
)
def test_a_model_without_a_version_counts_as_the_newest(model: str, version: Version) -> None:
    assert version_in(model, re.compile(r"-(\d+)(?:-(\d+))?")) == version


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        ("2026-01-01T00:00:10Z", 10.0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("2025-12-31T00:00:00Z", 0.0),
        ("soon", None),
        (None, None),
    ],
)
def test_the_time_until_a_moment_is_counted_by_the_clock_of_the_answer(
    moment: str | None, left: float | None
) -> None:
    assert seconds_until(moment, {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}) == left
    assert seconds_until(moment, {}) is None


def test_what_a_vendor_wants_back_is_carried_as_it_was() -> None:
    thought = carry(3, {"b": 1, "a": None}, {})
    assert (thought.key, thought.text, thought.carrier) == (3, "", '[{"b":1,"a":null},{}]')


def test_input_that_is_but_a_text_is_a_message_of_the_users() -> None:
    text, items = (
        items_of(decode_request(msgspec.json.encode({"input": given})))
        for given in ("Hello", [{"type": "message", "role": "user", "content": "Hello"}])
    )
    assert text == items
    assert items_of(decode_request(b"{}")) == ()
