"""Tests that a translating dialect must pass, whatever API it speaks.

    class TestConformance(DialectConformance):
        dialect = AcmeDialect()
        corpus = Path(__file__).parent / "corpus"

Each folder of the corpus is a `Case`. `pytest --update-corpus` writes what the cases expect.
`gateway.testing.tiers` tests more of those who promise more, `Suite` says what may be set besides,
and `RecordedConformance` replays traffic of which nobody has written down what it must become.

To look at what a failing test is about:

    events = replay(AcmeDialect(), Case(Path("tests/corpus/weather")).call, [chunk, ...])
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from gateway.errors import UpstreamError
from gateway.plugin import Call
from gateway.testing.answers import AnswerRules, Events
from gateway.testing.cases import Case, Recording
from gateway.testing.conversation import (
    next_turn,
    said,
    without_carriers,
    without_reasoning,
)
from gateway.testing.corpus_option import UPDATE_CORPUS
from gateway.testing.failures import ERRORS, FailureRules
from gateway.testing.preparing import Prepared
from gateway.testing.probes import texts
from gateway.testing.requests import RequestRules
from gateway.testing.suite import complain
from gateway.testing.tables import TableRules

__all__ = ["DialectConformance", "RecordedConformance"]


class DialectConformance(AnswerRules, RequestRules, TableRules, FailureRules):
    """Inherit, and set `dialect` and `corpus`; `Suite` and `tiers` tell of more."""

    corpus: ClassVar[Path]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test that asks for a `case` on every folder of the corpus."""
        super().pytest_generate_tests(metafunc)
        _parametrize(metafunc, "case", self._cases())

    def test_the_request_is_json_and_does_not_know_the_key(self, case: Case) -> None:
        call = Prepared(self.dialect, case.call).call
        key = call.deployment.api_key.reveal()
        request = self.dialect.encode(call)
        assert isinstance(msgspec.json.decode(request.body), dict)
        assert key not in f"{request.url} {request.headers}", "the core adds the key, not `encode`"
        assert key.encode() not in request.body, "the core adds the key, not `encode`"

    def test_the_request_goes_to_its_deployment_and_names_the_model(self, case: Case) -> None:
        call = Prepared(self.dialect, case.call).call
        request, again = self.dialect.encode(call), self.dialect.encode(call)
        assert request.url.startswith(call.deployment.base_url)
        assert call.model in f"{request.url} {request.body.decode()}", "the model's name is lost"
        assert (again.url, again.body) == (request.url, request.body), "encode must not vary"

    def test_the_request_is_accepted(self, case: Case) -> None:
        assert Prepared(self.dialect, case.call).rejected == []

    def test_the_events_are_the_expected_ones(
        self, case: Case, request: pytest.FixtureRequest
    ) -> None:
        events = self._events(case.call, case.recorded[0])
        if request.config.getoption(UPDATE_CORPUS, default=False):
            case.expected.write_bytes(msgspec.json.Encoder().encode_lines(events))
            pytest.skip(f"{case.expected} is written: read what has changed")
        assert events == _expected(case), (
            f"{case.recorded[0].name} became other events than events.jsonl says; if they are"
            f" right, write them with {UPDATE_CORPUS}"
        )

    def test_what_came_out_can_go_back_in(self, case: Case) -> None:
        prepared = Prepared(self.dialect, self._next_turn(case))
        assert prepared.rejected == [], "the next turn of this conversation is refused"
        sent = "\n".join(texts(msgspec.json.decode(prepared.encode().body)))
        complain(
            "what came out of one turn is in the request of the next one",
            (f"{text!r} is lost" for text in said(self._output(case)) if text not in sent),
        )

    def test_reasoning_that_got_lost_on_the_way_is_not_missed(self, case: Case) -> None:
        """Clients leave it out, and carriers of other models never reach a dialect."""
        call = self._next_turn(case)
        for forgetful in (without_reasoning(call), without_carriers(call)):
            prepared = Prepared(self.dialect, forgetful)
            assert prepared.rejected == [], "the next turn of this conversation is refused"
            assert prepared.encode().body

    def _output(self, case: Case) -> list[dict[str, Any]]:
        """Return the items that answer `case`."""
        return self._events(case.call, case.recorded[0])[-1]["response"]["output"]

    def _next_turn(self, case: Case) -> Call:
        return next_turn(case, self._output(case))

    def _cases(self) -> list[Case]:
        folders = sorted(path for path in self.corpus.iterdir() if path.is_dir())
        if not folders:
            raise pytest.Collector.CollectError(f"{self.corpus} holds no case: add a folder")
        return [Case(folder) for folder in folders]


class RecordedConformance(AnswerRules):
    """Rules for recordings of which only the answer is known; inherit, and say where they are.

    `recordings` holds folders, at any depth, that are each a `Recording`; those of another `api`
    are left alone. Where there are none on this machine, the tests are skipped.
    """

    recordings: ClassVar[Path]
    api: ClassVar[str]
    places = 8

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run the tests that ask for a `case` on answers, those for a `refused` on errors."""
        super().pytest_generate_tests(metafunc)
        known = [Recording(path.parent) for path in sorted(self.recordings.glob("**/meta.json"))]
        mine = [recording for recording in known if recording.meta["api"] == self.api]
        _parametrize(metafunc, "case", [one for one in mine if one.meta["status"] < 400])
        _parametrize(metafunc, "refused", [one for one in mine if one.meta["status"] >= 400])

    def test_a_recorded_error_is_told_by_its_status(self, refused: Recording) -> None:
        failure = refused.failure
        error = self.dialect.error(failure)
        assert isinstance(error, dict(ERRORS).get(failure.status, UpstreamError))
        assert error.message


def _parametrize(
    metafunc: pytest.Metafunc, name: str, cases: Sequence[Case] | Sequence[Recording]
) -> None:
    if name in metafunc.fixturenames:
        nothing = pytest.param(None, marks=pytest.mark.skip(reason="there are no recordings here"))
        ids = [case.path.name for case in cases] or ["none"]
        metafunc.parametrize(name, [*cases] or [nothing], ids=ids)


def _expected(case: Case) -> Events:
    if not case.expected.exists():
        pytest.fail(f"{case.expected} is missing: write it with {UPDATE_CORPUS}, and read it")
    return msgspec.json.Decoder(dict[str, Any]).decode_lines(case.expected.read_bytes())
