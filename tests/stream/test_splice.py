"""Splicing: the named members change, everything else is the bytes that came."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequestError
from gateway.stream.splice import DROP, check_utf8, splice

BODY = (
    rb'{"model": "alias", "temperature": 1.0, "seed": 123456789012345678901234567890,'
    rb' "input": [ {"b":1e3,  "a":"\u00e9\/"} ], "previous_response_id": null}'
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_changed_member_keeps_its_place_and_the_others_their_bytes() -> None:
    assert splice(BODY, {"model": "gpt-5"}) == (
        rb'{"model":"gpt-5","temperature":1.0,"seed":123456789012345678901234567890,'
        rb'"input":[ {"b":1e3,  "a":"\u00e9\/"} ],"previous_response_id":null}'
    )


def test_a_change_to_a_member_that_is_not_there_does_nothing() -> None:
    assert splice(b'{"a":1}', {"model": "gpt-5"}) == b'{"a":1}'


def test_an_addition_goes_to_the_end_unless_the_member_is_there() -> None:
    assert splice(b'{"a":1,"b":2}', {}, additions={"c": [3], "a": None}) == (
        b'{"a":null,"b":2,"c":[3]}'
    )


def test_a_dropped_member_goes() -> None:
    assert splice(b'{"a":1,"b":2}', {"a": DROP, "x": DROP}) == b'{"b":2}'


def test_a_raw_value_is_taken_as_it_is() -> None:
    assert splice(b'{"a":1}', {"a": msgspec.Raw(b"[ 1.0 ]")}) == b'{"a":[ 1.0 ]}'


def test_no_second_value_hides_behind_a_repeated_key() -> None:
    assert splice(b'{"model":"a","x":1,"model":"b"}', {"model": "c"}) == b'{"model":"c","x":1}'


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b"null", b"1"])
def test_json_that_is_no_object_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="not an object"):
        splice(body, {})


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":NaN}', b'{"a":1}x', b'{"\xff":1}', b'{"a":' + b"[" * 100_000]
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        splice(body, {})
    assert caught.value.code == "invalid_json"


def test_text_that_is_not_utf8_is_found_where_nobody_decodes() -> None:
    check_utf8(b'{"input":"plain"}')
    check_utf8('{"input":"\N{SNOWMAN}"}'.encode())
    with pytest.raises(InvalidRequestError, match=r"byte 10"):
        check_utf8(b'{"input":"\xff"}')


@given(st.dictionaries(st.text(), JSON, max_size=6), st.dictionaries(st.text(), JSON, max_size=3))
def test_only_the_named_members_differ(body: dict[str, object], changes: dict[str, object]) -> None:
    expected = {name: changes.get(name, value) for name, value in body.items()}
    spliced = msgspec.json.decode(splice(msgspec.json.encode(body), changes))
    assert spliced == expected
    assert list(spliced) == list(body)
