"""The kit does with a request what the core would do."""

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
import pytest
from msgspec.structs import replace

from gateway.errors import UpstreamError
from gateway.plugin import (
    Call,
    Deployment,
    Failure,
    SupportTable,
    Translator,
    UpstreamRequest,
    Verdict,
)
from gateway.plugin.failures import read_failure
from gateway.plugin.support import FUNCTIONS_ONLY
from gateway.testing.cases import call_of
from gateway.testing.preparing import Prepared
from gateway.types.request import Request, decode_request


class Plain:
    """An invented dialect that keeps to the table; it reads no answers."""

    name: ClassVar[str] = "plain"
    support: ClassVar[SupportTable] = FUNCTIONS_ONLY

    def check(self, request: Request, deployment: Deployment, /) -> Iterator[Verdict]:
        yield from self.support.judge(request)

    def encode(self, call: Call, /) -> UpstreamRequest:
        return UpstreamRequest(url=call.deployment.base_url, body=msgspec.json.encode(call.request))

    def translator(self, call: Call, /) -> Translator:
        raise NotImplementedError

    def error(self, failure: Failure, /) -> UpstreamError:
        return read_failure(failure)


def prepared(request: dict[str, Any], **deployment: Any) -> Prepared:
    body = msgspec.json.encode({"model": "some", "input": "Hello", **request})
    call = call_of(decode_request(body), {})
    return Prepared(Plain(), replace(call, deployment=replace(call.deployment, **deployment)))


def test_what_is_dropped_does_not_reach_encode() -> None:
    ready = prepared({"user": "someone", "temperature": 0.5})
    assert ready.rejected == []
    assert ready.goes_without("user")
    assert not ready.goes_without("temperature")
    assert msgspec.json.decode(ready.encode().body) == {
        "model": "some",
        "input": "Hello",
        "temperature": 0.5,
    }


def test_what_is_rejected_goes_only_where_the_operator_says_so() -> None:
    request = {"prompt": {"id": "pmpt_1"}}
    assert prepared(request).rejected == ["prompt"]
    assert prepared(request).call.request.prompt
    assert prepared(request, on_unsupported="drop").call.request.prompt is None


def test_what_is_left_to_the_core_reaches_encode_as_functions() -> None:
    ready = prepared({"tools": [{"type": "custom", "name": "write"}]})
    assert not ready.goes_without("tools[0].name")
    tools = ready.call.request.tools
    assert tools
    assert [tool.type for tool in tools] == ["function"]


@pytest.mark.parametrize(
    ("param", "path", "expected"),
    [
        ("tools[1].type", "tools[1].name", True),
        ("tools[1].type", "tools[10].name", False),
        ("text.format.type", "text.format", True),
        ("text.format.type", "text.verbosity", False),
        ("include", "include[0]", True),
        ("include[1]", "include", False),
    ],
)
def test_a_verdict_is_about_all_within_its_element(
    param: str, path: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = Verdict(action="drop", param=param, reason="invented")
    monkeypatch.setattr(Plain, "check", lambda *_: [verdict])
    assert prepared({}).goes_without(path) is expected


def test_a_verdict_without_reason_or_place_is_stray(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Verdict(action="drop", param="user", reason="invented")
    stray = [
        replace(sound, reason=""),
        replace(sound, param="usr"),
        replace(sound, param="tools[0]"),
    ]
    monkeypatch.setattr(Plain, "check", lambda *_: [sound, *stray])
    assert prepared({"user": "someone"}).stray == stray
