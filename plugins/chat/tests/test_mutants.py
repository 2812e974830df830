"""The kit catches dialects that break one thing each: the chat dialect, deliberately damaged.

The suites of the damaged dialects are not collected here: their names do not begin with `Test`. A
pytest of its own runs of each the test that has to fail.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

import msgspec
import pytest
from msgspec.structs import replace

from gateway.errors import (
    InvalidRequestError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.plugin import (
    Call,
    Delta,
    Deployment,
    Failure,
    Finished,
    Frame,
    Logprobs,
    Refusal,
    SSEDecoder,
    Text,
    Thought,
    ToolCall,
    Translator,
    UpstreamRequest,
    Used,
    Verdict,
)
from gateway.plugin.support import ACCEPT, SupportTable
from gateway.testing import (
    WithImages,
    WithParallelTools,
    WithReasoning,
    WithStructuredOutput,
)
from gateway.types.items import Reasoning
from gateway.types.request import Request
from gateway_chat import ChatDialect

CORPUS = Path(__file__).parent / "corpus"
NUMBERS = count()

Body = dict[str, Any]


class Telling:
    """A translator whose deltas, and whose failures, are told by a damaged dialect."""

    def __init__(self, translator: Translator, mutant: "Mutant") -> None:
        self._translator = translator
        self._mutant = mutant

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        for delta in self._mutant.read(self._translator, frame):
            yield from self._mutant.tell(delta)


class Mutant(ChatDialect):
    """The dialect, not yet damaged: what a subclass overrides is what it breaks."""

    caught_by: ClassVar[str] = ""
    ignores: ClassVar[Mapping[str, str]] = {}

    def check(self, request: Request, deployment: Deployment, /) -> Iterator[Verdict]:
        for verdict in super().check(request, deployment):
            yield from self.judge(verdict)

    def encode(self, call: Call, /) -> UpstreamRequest:
        request = super().encode(call)
        body = msgspec.json.decode(request.body)
        self.write(body)
        return replace(request, body=msgspec.json.encode(body))

    def translator(self, call: Call, /) -> Translator:
        return Telling(super().translator(call), self)

    def judge(self, verdict: Verdict) -> Iterable[Verdict]:
        return [verdict]

    def write(self, body: Body) -> None:
        pass

    def read(self, translator: Translator, frame: Frame) -> Iterable[Delta]:
        return translator.feed(frame)

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [delta]


# What goes wrong in a request


class PutsTheKeyIntoTheAddress(Mutant):
    caught_by = "test_the_request_is_json_and_does_not_know_the_key"

    def encode(self, call: Call, /) -> UpstreamRequest:
        request = super().encode(call)
        return replace(request, url=f"{request.url}?key={call.deployment.api_key.reveal()}")


class GoesSomewhereElse(Mutant):
    caught_by = "test_the_request_goes_to_its_deployment_and_names_the_model"

    def encode(self, call: Call, /) -> UpstreamRequest:
        return replace(super().encode(call), url="https://elsewhere.test/chat/completions")


class LosesTheModel(Mutant):
    caught_by = "test_the_request_goes_to_its_deployment_and_names_the_model"

    def write(self, body: Body) -> None:
        body["model"] = "default"


class LosesTheInstructions(Mutant):
    caught_by = "test_no_word_of_a_request_gets_lost"

    def write(self, body: Body) -> None:
        body["messages"] = [one for one in body["messages"] if one["role"] != "system"]


class LosesTools(Mutant):
    caught_by = "test_no_word_of_a_request_gets_lost"

    def write(self, body: Body) -> None:
        body.pop("tools", None)


class LosesDescriptionsOfTools(Mutant):
    caught_by = "test_no_word_of_a_request_gets_lost"

    def write(self, body: Body) -> None:
        for tool in body.get("tools", ()):
            tool["function"].pop("description", None)


class LosesImages(Mutant):
    caught_by = "test_no_word_of_a_request_gets_lost"

    def write(self, body: Body) -> None:
        for message in body["messages"]:
            if isinstance(message.get("content"), list):
                message["content"] = [p for p in message["content"] if p["type"] != "image_url"]


class LosesOutputsOfTools(Mutant):
    caught_by = "test_no_word_of_a_request_gets_lost"

    def write(self, body: Body) -> None:
        for message in body["messages"]:
            if message["role"] == "tool":
                message["content"] = "done"


class LosesArgumentsOfEarlierCalls(Mutant):
    caught_by = "test_what_came_out_can_go_back_in"

    def write(self, body: Body) -> None:
        for message in body["messages"]:
            for call in message.get("tool_calls", ()):
                call["function"]["arguments"] = "{}"


class LosesEarlierReasoning(Mutant):
    caught_by = "test_reasoning_goes_back_with_the_next_turn"

    def write(self, body: Body) -> None:
        for message in body["messages"]:
            message.pop("reasoning_content", None)


class LosesTheSchema(Mutant):
    caught_by = "test_no_word_of_a_request_gets_lost"

    def write(self, body: Body) -> None:
        body.pop("response_format", None)


class IgnoresTheChoiceOfTools(Mutant):
    caught_by = "test_a_setting_that_check_lets_pass_shows_in_the_request"

    def write(self, body: Body) -> None:
        if "tool_choice" in body:
            body["tool_choice"] = "auto"


class IgnoresTheTemperature(Mutant):
    caught_by = "test_a_setting_that_check_lets_pass_shows_in_the_request"

    def write(self, body: Body) -> None:
        body.pop("temperature", None)


class AlwaysAsksForAThousandTokens(Mutant):
    caught_by = "test_a_setting_that_check_lets_pass_shows_in_the_request"

    def write(self, body: Body) -> None:
        if "max_tokens" in body:
            body["max_tokens"] = 1000


class IsStrictWithNobody(Mutant):
    caught_by = "test_a_setting_that_check_lets_pass_shows_in_the_request"

    def write(self, body: Body) -> None:
        for tool in body.get("tools", ()):
            tool["function"].pop("strict", None)


class NumbersItsRequests(Mutant):
    caught_by = "test_the_request_goes_to_its_deployment_and_names_the_model"

    def write(self, body: Body) -> None:
        body["number"] = next(NUMBERS)


class ChangesItsMind(Mutant):
    caught_by = "test_what_was_dropped_leaves_a_request_that_can_be_sent"

    def encode(self, call: Call, /) -> UpstreamRequest:
        if call.request.temperature is not None:
            raise InvalidRequestError("the temperature cannot be had", param="temperature")
        return super().encode(call)


# What goes wrong in the verdicts


class PromisesWhatItDrops(Mutant):
    caught_by = "test_check_says_of_parameters_what_the_table_says"
    support: ClassVar[SupportTable] = ChatDialect.support.but(parameters={"user": ACCEPT})


class ForgetsARowOfTheTable(Mutant):
    caught_by = "test_the_table_speaks_of_every_parameter_item_and_tool"
    support: ClassVar[SupportTable] = replace(
        ChatDialect.support,
        items={
            kind: support
            for kind, support in ChatDialect.support.items.items()
            if kind != "shell_call"
        },
    )


class NeverComplains(Mutant):
    caught_by = "test_check_says_of_tools_what_the_table_says"

    def judge(self, verdict: Verdict) -> Iterable[Verdict]:
        return []


class RefusesForNoReason(Mutant):
    caught_by = "test_a_verdict_names_a_part_of_the_request_and_a_reason"

    def judge(self, verdict: Verdict) -> Iterable[Verdict]:
        return [replace(verdict, reason="")]


class PointsNowhere(Mutant):
    caught_by = "test_a_verdict_names_a_part_of_the_request_and_a_reason"

    def judge(self, verdict: Verdict) -> Iterable[Verdict]:
        return [replace(verdict, param=verdict.param.replace("tools[", "functions["))]


class LetsStrangersPass(Mutant):
    caught_by = "test_what_nobody_knows_yet_is_not_let_pass"

    def judge(self, verdict: Verdict) -> Iterable[Verdict]:
        return [] if verdict.param == "tools[1].type" else [verdict]


class RefusesFunctions(Mutant):
    caught_by = "test_functions_and_their_calls_are_accepted"

    def check(self, request: Request, deployment: Deployment, /) -> Iterator[Verdict]:
        yield from super().check(request, deployment)
        if request.tools:
            yield Verdict(action="reject", param="tools", reason="tools are too much for it")


class InsistsOnItsCarriers(Mutant):
    caught_by = "test_reasoning_that_got_lost_on_the_way_is_not_missed"

    def check(self, request: Request, deployment: Deployment, /) -> Iterator[Verdict]:
        yield from super().check(request, deployment)
        for position, item in enumerate(request.input or ()):
            if isinstance(item, Reasoning) and not item.encrypted_content:
                param = f"input[{position}].encrypted_content"
                yield Verdict(action="reject", param=param, reason="it is missed")


class IgnoresWithoutAReason(Mutant):
    caught_by = "test_what_may_be_ignored_exists_and_has_a_reason"
    ignores: ClassVar[Mapping[str, str]] = {"temperature": " "}


class IgnoresWhatNobodyKnows(Mutant):
    caught_by = "test_what_may_be_ignored_exists_and_has_a_reason"
    ignores: ClassVar[Mapping[str, str]] = {"temprature": "acme is always warm"}


# What goes wrong in an answer


class LosesTheFinishReason(Mutant):
    caught_by = "test_the_events_are_the_expected_ones"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [Finished("stop") if isinstance(delta, Finished) else delta]


class FinishesTooEarly(Mutant):
    caught_by = "test_the_events_are_the_expected_ones"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [delta, Finished("stop")] if isinstance(delta, Text) else [delta]


class MergesCalls(Mutant):
    caught_by = "test_the_events_are_the_expected_ones"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [replace(delta, key=0) if isinstance(delta, ToolCall) else delta]


class NamesCallsItself(Mutant):
    caught_by = "test_calls_share_no_state"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        if isinstance(delta, ToolCall) and delta.call_id:
            return [replace(delta, call_id=f"call_{next(NUMBERS)}")]
        return [delta]


class LosesIdsOfCalls(Mutant):
    caught_by = "test_the_events_are_the_expected_ones"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [replace(delta, call_id=None) if isinstance(delta, ToolCall) else delta]


class LosesAPieceOfTheArguments(Mutant):
    caught_by = "test_the_events_are_the_expected_ones"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [] if isinstance(delta, ToolCall) and not delta.name else [delta]


class ThinksAloud(Mutant):
    caught_by = "test_a_case_shows_reasoning"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [Text(delta.text) if isinstance(delta, Thought) else delta]


class LosesTheUsage(Mutant):
    caught_by = "test_the_events_are_the_expected_ones"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [] if isinstance(delta, Used) else [delta]


class LosesRefusals(Mutant):
    caught_by = "test_the_events_are_the_expected_ones"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [] if isinstance(delta, Refusal) else [delta]


class LosesLogprobs(Mutant):
    caught_by = "test_the_events_are_the_expected_ones"

    def tell(self, delta: Delta) -> Iterable[Delta]:
        return [] if isinstance(delta, Logprobs) else [delta]


class LosesCallsOfWholeAnswers(Mutant):
    caught_by = "test_a_whole_answer_is_the_streamed_one_drained"

    def read(self, translator: Translator, frame: Frame) -> Iterator[Delta]:
        for delta in translator.feed(frame):
            if not (isinstance(delta, ToolCall) and b'"message"' in frame.data):
                yield delta


class IgnoresFailuresInAnAnswer(Mutant):
    caught_by = "test_the_events_are_the_expected_ones"

    def read(self, translator: Translator, frame: Frame) -> Iterator[Delta]:
        try:
            yield from translator.feed(frame)
        except UpstreamUnavailableError:
            yield Finished("stop")


class SkipsWhatIsNotJson(Mutant):
    caught_by = "test_a_broken_frame_never_passes_as_complete"

    def read(self, translator: Translator, frame: Frame) -> Iterator[Delta]:
        try:
            yield from translator.feed(frame)
        except UpstreamError:
            return


class InsistsOnChoices(Mutant):
    caught_by = "test_what_is_not_known_is_ignored"

    def read(self, translator: Translator, frame: Frame) -> Iterable[Delta]:
        if frame.data != b"[DONE]" and b"error" not in frame.data:
            msgspec.json.decode(frame.data)["choices"]
        return translator.feed(frame)


class HasOneReaderForAll(Mutant):
    caught_by = "test_calls_share_no_state"
    readers: ClassVar[dict[str, Translator]] = {}

    def translator(self, call: Call, /) -> Translator:
        return self.readers.setdefault("the only one", super().translator(call))


class Hasty:
    """Takes each chunk for a number of whole frames."""

    def feed(self, chunk: bytes, /) -> Iterable[Frame]:
        lines = [line for line in chunk.splitlines() if line.startswith(b"data:")]
        return [Frame(line.removeprefix(b"data:").strip()) for line in lines]

    def close(self) -> Iterable[Frame]:
        return ()


class TakesChunksForFrames(Mutant):
    caught_by = "test_network_chunks_do_not_matter"

    def encode(self, call: Call, /) -> UpstreamRequest:
        return replace(super().encode(call), framing=Hasty)


class Completing(SSEDecoder):
    """Adds the end marker to whatever ends."""

    def close(self) -> list[Frame]:
        return [Frame(b"[DONE]")]


class CompletesWhatWasCut(Mutant):
    caught_by = "test_an_answer_cut_anywhere_ends_well_and_never_as_complete"

    def encode(self, call: Call, /) -> UpstreamRequest:
        return replace(super().encode(call), framing=Completing)


class TakesSilenceForAnAnswer(CompletesWhatWasCut):
    caught_by = "test_an_answer_without_content_fails_the_response"

    def read(self, translator: Translator, frame: Frame) -> Iterable[Delta]:
        return [Finished("stop")] if frame.data == b"[DONE]" else translator.feed(frame)


# What goes wrong with errors


class ExpectsErrorsToBeJson(Mutant):
    caught_by = "test_errors_are_told_apart_whatever_their_body"

    def error(self, failure: Failure, /) -> UpstreamError:
        return UpstreamRejectedError(msgspec.json.decode(failure.body)["error"]["message"])


class TakesAllErrorsForOne(Mutant):
    caught_by = "test_errors_are_told_apart_whatever_their_body"

    def error(self, failure: Failure, /) -> UpstreamError:
        return super().error(replace(failure, status=503))


class ForgetsWhenToComeBack(Mutant):
    caught_by = "test_an_error_says_when_to_come_back"

    def error(self, failure: Failure, /) -> UpstreamError:
        return super().error(replace(failure, headers={}))


class RepeatsKeys(Mutant):
    caught_by = "test_an_error_never_repeats_a_key"

    def error(self, failure: Failure, /) -> UpstreamError:
        return UpstreamRejectedError(failure.body.decode(errors="replace") or "nothing")


def suite_of(mutant: type[Mutant]) -> type:
    tiers = (WithParallelTools, WithReasoning, WithImages, WithStructuredOutput)
    members = {"dialect": mutant(), "corpus": CORPUS, "ignores": mutant.ignores}
    return type(f"Of{mutant.__name__}", tiers, members)


MUTANTS = [*Mutant.__subclasses__(), *CompletesWhatWasCut.__subclasses__()]
globals().update({f"Of{mutant.__name__}": suite_of(mutant) for mutant in [Mutant, *MUTANTS]})

Failures = Mapping[str, int]


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Failures:
    """How often each test failed that has to catch a mutant, by `suite::test`."""
    wanted = {f"Of{mutant.__name__}::{mutant.caught_by}" for mutant in MUTANTS}
    wanted |= {f"OfMutant::{mutant.caught_by}" for mutant in MUTANTS}
    report = tmp_path_factory.mktemp("mutants") / "report.xml"
    options = ["-q", "--tb=no", "-p", "no:cacheprovider", "-o", "python_classes=Of*"]
    nodes = [f"{__file__}::{node}" for node in sorted(wanted)]
    command = [sys.executable, "-m", "pytest", *options, f"--junit-xml={report}", *nodes]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    found = dict.fromkeys(wanted, 0)
    for test in ET.parse(report).iter("testcase"):
        suite, name = test.attrib["classname"].rpartition(".")[2], test.attrib["name"]
        found[f"{suite}::{name.partition('[')[0]}"] += len(test)
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_damaged_dialect_is_caught(mutant: type[Mutant], failures: Failures) -> None:
    assert failures[f"Of{mutant.__name__}::{mutant.caught_by}"] > 0


def test_the_sound_dialect_passes_the_same_tests(failures: Failures) -> None:
    assert {
        node: number for node, number in failures.items() if "OfMutant::" in node and number
    } == {}
