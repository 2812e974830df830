"""Rules for what a dialect makes of an upstream's answer, whatever the answer says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import pytest

from gateway.plugin import Call
from gateway.stream.lifecycle import violations
from gateway.stream.sse import SSEDecoder
from gateway.testing.cases import Recorded
from gateway.testing.folding import fold
from gateway.testing.replay import Playback, plain, replay
from gateway.testing.suite import Suite, complain

__all__ = ["AnswerRules", "Events", "Exchange"]

Events = Sequence[Mapping[str, Any]]

_FAILED = "response.failed"
_BROKEN = (b'{"', b"[]", b"null", b'"text"')
_OTHER_SHAPES = (b"{}", b'{"error": 7}', b'{"type": [], "choices": 7, "content": {}}')
_NOTHING = (b"", b"\n\n", b": a comment\n\n", b"data: [DONE]\n\n")
_NEW_EVENT = b'event: not_invented_yet\ndata: {"type": "not_invented_yet"}\n\n: a comment\n\n'
_NEW_MEMBER = b'{"not_invented_yet": {"a": [1]}, '
_OBJECT = re.compile(rb'\{(?=\s*")')
_DATA = re.compile(rb"^data: ?(?=\{).*$", re.MULTILINE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class Exchange(Protocol):
    """A call, and the answers to it that are known."""

    @property
    def call(self) -> Call: ...
    @property
    def recorded(self) -> tuple[Recorded, ...]: ...


class AnswerRules(Suite):
    """Each test takes a `case`, which is an `Exchange`; a subclass says which there are.

    `places` is in about how many of them an answer is cut or broken, if it has so many.
    """

    places: ClassVar[int] = 64

    def test_the_events_keep_the_rules(self, case: Exchange) -> None:
        for recorded in case.recorded:
            complain(
                f"{recorded.name} must become a stream as OpenAI sends it",
                violations(self._events(case.call, recorded)),
            )

    def test_the_deltas_add_up_to_the_response(self, case: Exchange) -> None:
        for recorded in case.recorded:
            events = self._events(case.call, recorded)
            assert fold(events) == events[-1]["response"]["output"], (
                f"{recorded.name}: whoever reads deltas gets another output than the final one"
            )

    def test_a_whole_answer_is_the_streamed_one_drained(self, case: Exchange) -> None:
        first, *others = case.recorded
        final = self._events(case.call, first)[-1]["response"]
        for other in others:
            assert self._events(case.call, other)[-1]["response"] == final, (
                f"{other.name} must become the same response as {first.name}"
            )

    @pytest.mark.parametrize("size", [1, 2, 7, 64])
    def test_network_chunks_do_not_matter(self, case: Exchange, size: int) -> None:
        for recorded in case.recorded:
            chunks = _pieces(recorded.body, size)
            assert self._play(case.call, recorded, chunks) == self._events(case.call, recorded), (
                f"{recorded.name} must say the same in chunks of {size} bytes"
            )

    def test_an_answer_cut_anywhere_ends_well_and_never_as_complete(self, case: Exchange) -> None:
        for recorded in case.recorded:
            whole = self._events(case.call, recorded)[-1]
            for start in _cuts(recorded.body, self.places):
                events = self._play(case.call, recorded, [start])
                place = f"{recorded.name}, cut after {len(start)} of {len(recorded.body)} bytes,"
                complain(f"{place} must end by the rules", violations(events))
                if events[-1]["type"] != _FAILED:
                    assert _said(events[-1]) == _said(whole), (
                        f"{place} must fail: emit `Finished` only at the upstream's own end marker"
                    )

    def test_what_is_not_known_is_ignored(self, case: Exchange) -> None:
        for recorded in case.recorded:
            expected = self._events(case.call, recorded)
            for body in self._with_news(case.call, recorded):
                assert self._play(case.call, recorded, [body]) == expected, (
                    f"{recorded.name} must say the same with events and members of unknown names"
                )

    @pytest.mark.parametrize("garbage", [b"{,", b"{\xff"])
    def test_a_garbled_answer_fails_the_response(self, case: Exchange, garbage: bytes) -> None:
        for recorded in case.recorded:
            events = self._play(case.call, recorded, [recorded.body.replace(b"{", garbage)])
            assert violations(events) == []
            assert events[-1]["type"] == _FAILED, f"{recorded.name} is not JSON any more"

    @pytest.mark.parametrize("nothing", _NOTHING)
    def test_an_answer_without_content_fails_the_response(
        self, case: Exchange, nothing: bytes
    ) -> None:
        events = plain(replay(self.dialect, case.call, [nothing]))
        assert violations(events) == []
        assert events[-1]["type"] == _FAILED, "nothing was said, and it passes as complete"

    @pytest.mark.parametrize("data", _BROKEN)
    def test_a_broken_frame_never_passes_as_complete(self, case: Exchange, data: bytes) -> None:
        for recorded in case.recorded:
            whole = self._events(case.call, recorded)[-1]
            for body in _broken(recorded, data, self.places):
                events = self._play(case.call, recorded, [body])
                assert violations(events) == []
                if events[-1]["type"] != _FAILED:
                    assert _said(events[-1]) == _said(whole), (
                        f"{recorded.name} with {data!r} in place of a frame lacks something,"
                        " and passes as complete"
                    )

    @pytest.mark.parametrize("data", _OTHER_SHAPES)
    def test_json_of_another_shape_does_no_harm(self, case: Exchange, data: bytes) -> None:
        for recorded in case.recorded:
            for body in _broken(recorded, data, self.places):
                assert violations(self._play(case.call, recorded, [body])) == []

    def test_calls_share_no_state(self, case: Exchange) -> None:
        for recorded in case.recorded:
            alone = self._events(case.call, recorded)
            both = [Playback(self.dialect, case.call, whole=recorded.whole) for _ in "ab"]
            for chunk in _pieces(recorded.body, 32):
                for playback in both:
                    playback.feed(chunk)
            assert [plain(playback.close()) for playback in both] == [alone] * 2, (
                f"{recorded.name} must say the same twice at a time: keep state in the translator"
            )

    def _play(self, call: Call, recorded: Recorded, chunks: Iterable[bytes]) -> Events:
        return plain(replay(self.dialect, call, chunks, whole=recorded.whole))

    def _events(self, call: Call, recorded: Recorded) -> Events:
        return self._play(call, recorded, [recorded.body])

    def _with_news(self, call: Call, recorded: Recorded) -> Iterator[bytes]:
        """Yield the answer with members, events and comments that no vendor has invented yet."""
        if recorded.whole:
            yield _OBJECT.sub(_NEW_MEMBER, recorded.body, count=1)
        elif isinstance(self.dialect.encode(call).framing(), SSEDecoder):
            yield _NEW_EVENT + _BLANK_LINE.sub(rb"\g<0>" + _NEW_EVENT, recorded.body)
            member = b"data: " + _NEW_MEMBER
            yield re.sub(rb'^data: ?\{(?=\s*")', member, recorded.body, flags=re.MULTILINE)


def _pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def _cuts(body: bytes, number: int) -> list[bytes]:
    """Return beginnings of `body`: some that end with a line, and some that end within one."""
    ends: list[int] = []
    length = 0
    for line in body.splitlines(keepends=True):
        ends += [length + len(line) // 2, length + len(line)]
        length += len(line)
    ends = [end for end in ends if end < length]
    # The last lines are the ones where an answer may already be whole.
    few = {*ends[:: max(1, len(ends) // number)], *ends[-number // 2 :]}
    return [body[:end] for end in sorted(few)]


def _broken(recorded: Recorded, data: bytes, number: int) -> Iterator[bytes]:
    """Yield the answer with `data` in place of its JSON, or of one frame after the other."""
    if recorded.whole:
        yield data
        return
    frames = [*_DATA.finditer(recorded.body)]
    for found in frames[:: max(1, len(frames) // number)]:
        yield recorded.body[: found.start()] + b"data: " + data + recorded.body[found.end() :]


def _said(event: Mapping[str, Any]) -> tuple[object, ...]:
    response = event["response"]
    return response["status"], response["incomplete_details"], response["output"]
