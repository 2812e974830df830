"""Tests that a translating dialect must pass, whatever API it speaks.

    class TestConformance(DialectConformance):
        dialect = AcmeDialect()
        corpus = Path(__file__).parent / "corpus"

Each folder of the corpus is a `Case`. `pytest --update-corpus` writes what the cases expect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from msgspec.structs import replace

from gateway.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.plugin import Call, Dialect, Failure
from gateway.stream.lifecycle import violations
from gateway.stream.sse import SSEDecoder
from gateway.testing.corpus_option import UPDATE_CORPUS
from gateway.testing.replay import Case, Playback, Recorded, plain, replay
from gateway.types.request import decode_request

__all__ = ["DialectConformance"]

Events = Sequence[Mapping[str, Any]]

_FAILED = "response.failed"
_JUNK_BODIES = (b"", b"<html>busy</html>", b"{}", b'{"error": null}', b"[1]", b"\xff\xfe\x00")
_ERRORS = (
    (400, UpstreamRejectedError),
    (401, UpstreamAuthenticationError),
    (429, UpstreamRateLimitError),
    (503, UpstreamUnavailableError),
)
_BROKEN = (b'{"', b"[]", b"null", b'"text"')
_OTHER_SHAPES = (b"{}", b'{"error": 7}', b'{"type": [], "choices": 7, "content": {}}')
_NEW_EVENT = b'event: not_invented_yet\ndata: {"type": "not_invented_yet"}\n\n: a comment\n\n'
_OBJECT = re.compile(rb'\{(?=\s*")')
_DATA = re.compile(rb"^data: ?(?=\{).*$", re.MULTILINE)


class DialectConformance:
    """Inherit, and set `dialect` and `corpus`. Do not override a test: xfail it, with a reason."""

    dialect: ClassVar[Dialect]
    corpus: ClassVar[Path]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test that asks for a `case` on every folder of the corpus."""
        if "case" in metafunc.fixturenames:
            folders = sorted(path for path in self.corpus.iterdir() if path.is_dir())
            if not folders:
                raise pytest.UsageError(f"{self.corpus} holds no case to test the dialect with")
            metafunc.parametrize("case", [Case(f) for f in folders], ids=[f.name for f in folders])

    def test_the_request_is_json_and_does_not_know_the_key(self, case: Case) -> None:
        call = case.call
        key = call.deployment.api_key.reveal()
        request = self.dialect.encode(call)
        assert isinstance(msgspec.json.decode(request.body), dict)
        assert key not in f"{request.url} {request.headers}"
        assert key.encode() not in request.body

    def test_the_request_goes_to_its_deployment_and_names_the_model(self, case: Case) -> None:
        request = self.dialect.encode(case.call)
        assert request.url.startswith(case.call.deployment.base_url)
        assert case.call.model in f"{request.url} {request.body.decode()}"
        assert self.dialect.encode(case.call) == request

    def test_the_request_is_accepted(self, case: Case) -> None:
        assert self._rejections(case.call) == []

    def test_the_events_are_the_expected_ones(
        self, case: Case, request: pytest.FixtureRequest
    ) -> None:
        events = self._events(case.call, case.recorded[0])
        if request.config.getoption(UPDATE_CORPUS, default=False):
            case.expected.write_bytes(msgspec.json.Encoder().encode_lines(events))
            pytest.skip(f"{case.expected} is written: read what has changed")
        assert events == _expected(case)

    def test_a_whole_answer_is_the_streamed_one_drained(self, case: Case) -> None:
        finals = [self._events(case.call, recorded)[-1]["response"] for recorded in case.recorded]
        assert finals == finals[:1] * len(finals)

    def test_the_events_keep_the_rules(self, case: Case) -> None:
        for recorded in case.recorded:
            assert violations(self._events(case.call, recorded)) == []

    @pytest.mark.parametrize("size", [1, 2, 7, 64])
    def test_network_chunks_do_not_matter(self, case: Case, size: int) -> None:
        for recorded in case.recorded:
            chunks = _pieces(recorded.body, size)
            assert self._play(case.call, recorded, chunks) == self._events(case.call, recorded)

    def test_an_answer_cut_anywhere_ends_well_and_never_as_complete(self, case: Case) -> None:
        for recorded in case.recorded:
            whole = self._events(case.call, recorded)[-1]
            for start in _cuts(recorded.body):
                events = self._play(case.call, recorded, [start])
                assert violations(events) == []
                if events[-1]["type"] != _FAILED:
                    assert _said(events[-1]) == _said(whole), "a cut answer passed as complete"

    def test_what_is_not_known_is_ignored(self, case: Case) -> None:
        for recorded in case.recorded:
            expected = self._events(case.call, recorded)
            for body in self._with_news(case.call, recorded):
                assert self._play(case.call, recorded, [body]) == expected

    @pytest.mark.parametrize("garbage", [b"{,", b"{\xff"])
    def test_a_garbled_answer_fails_the_response(self, case: Case, garbage: bytes) -> None:
        for recorded in case.recorded:
            events = self._play(case.call, recorded, [recorded.body.replace(b"{", garbage)])
            assert violations(events) == []
            assert events[-1]["type"] == _FAILED

    @pytest.mark.parametrize("data", _BROKEN)
    def test_a_broken_frame_never_passes_as_complete(self, case: Case, data: bytes) -> None:
        for recorded in case.recorded:
            whole = self._events(case.call, recorded)[-1]
            for body in _broken(recorded, data):
                events = self._play(case.call, recorded, [body])
                assert violations(events) == []
                assert events[-1]["type"] == _FAILED or _said(events[-1]) == _said(whole)

    @pytest.mark.parametrize("data", _OTHER_SHAPES)
    def test_json_of_another_shape_does_no_harm(self, case: Case, data: bytes) -> None:
        for recorded in case.recorded:
            for body in _broken(recorded, data):
                assert violations(self._play(case.call, recorded, [body])) == []

    def test_calls_share_no_state(self, case: Case) -> None:
        playbacks = [Playback(self.dialect, case.call, whole=case.recorded[0].whole) for _ in "ab"]
        for chunk in _pieces(case.recorded[0].body, 32):
            for playback in playbacks:
                playback.feed(chunk)
        assert [plain(playback.close()) for playback in playbacks] == [_expected(case)] * 2

    def test_what_came_out_can_go_back_in(self, case: Case) -> None:
        output = self._events(case.call, case.recorded[0])[-1]["response"]["output"]
        call = _next_turn(case, output)
        assert self._rejections(call) == []
        assert msgspec.json.decode(self.dialect.encode(call).body)

    @pytest.mark.parametrize("body", _JUNK_BODIES)
    @pytest.mark.parametrize(("status", "kind"), _ERRORS)
    def test_errors_are_told_apart_whatever_their_body(
        self, status: int, kind: type[UpstreamError], body: bytes
    ) -> None:
        error = self.dialect.error(Failure(status=status, body=body))
        assert isinstance(error, kind)
        assert error.message

    def test_an_error_says_when_to_come_back(self) -> None:
        failure = Failure(status=429, headers={"retry-after": "7"}, body=b"{}")
        assert self.dialect.error(failure).retry_after == 7

    def test_an_error_never_repeats_a_key(self) -> None:
        body = b'{"error": {"message": "Incorrect API key provided: sk-abcdef0123456789"}}'
        for status in (400, 401, 403, 500):
            error = self.dialect.error(Failure(status=status, body=body))
            assert "abcdef0123456789" not in error.message

    def _rejections(self, call: Call) -> list[str]:
        verdicts = self.dialect.check(call.request, call.deployment)
        return [verdict.param for verdict in verdicts if verdict.action == "reject"]

    def _play(self, call: Call, recorded: Recorded, chunks: Iterable[bytes]) -> Events:
        return plain(replay(self.dialect, call, chunks, whole=recorded.whole))

    def _events(self, call: Call, recorded: Recorded) -> Events:
        return self._play(call, recorded, [recorded.body])

    def _with_news(self, call: Call, recorded: Recorded) -> Iterator[bytes]:
        """Yield the answer with members, events and comments that no vendor has invented yet."""
        member = b'{"not_invented_yet": {"a": [1]}, '
        if recorded.whole:
            yield _OBJECT.sub(member, recorded.body, count=1)
        elif isinstance(self.dialect.encode(call).framing(), SSEDecoder):
            yield _NEW_EVENT + recorded.body.replace(b"\n\n", b"\n\n" + _NEW_EVENT)
            yield re.sub(rb'^data: ?\{(?=\s*")', b"data: " + member, recorded.body, flags=re.M)


def _pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def _cuts(body: bytes) -> Iterator[bytes]:
    """Yield beginnings of `body`: one for each of its lines, and some that end within a line."""
    length = 0
    for line in body.splitlines(keepends=True):
        yield body[: length + len(line) // 2]
        length += len(line)
        if length < len(body):
            yield body[:length]


def _broken(recorded: Recorded, data: bytes) -> Iterator[bytes]:
    """Yield the answer with `data` in place of its JSON, or of one frame after the other."""
    if recorded.whole:
        yield data
    for found in _DATA.finditer(recorded.body):
        yield recorded.body[: found.start()] + b"data: " + data + recorded.body[found.end() :]


def _expected(case: Case) -> Events:
    if not case.expected.exists():
        pytest.fail(f"{case.expected} is missing: write it with {UPDATE_CORPUS}, and read it")
    return msgspec.json.Decoder(dict[str, Any]).decode_lines(case.expected.read_bytes())


def _said(event: Mapping[str, Any]) -> tuple[object, ...]:
    response = event["response"]
    return response["status"], response["incomplete_details"], response["output"]


def _next_turn(case: Case, output: list[dict[str, Any]]) -> Call:
    """Return the call that follows when the client sends back what it got."""
    request = msgspec.json.decode((case.path / "request.json").read_bytes())
    asked = request["input"]
    items = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "done"}
        for item in output
        if item["type"] == "function_call"
    ]
    thanks = {"role": "user", "content": "Thank you. And now?"}
    request["input"] = [*items, *output, *results, thanks]
    request.pop("tool_choice", None)
    return replace(case.call, request=decode_request(msgspec.json.encode(request)))
