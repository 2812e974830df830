"""Tiers: what a dialect promises beyond text, each a class to inherit before the others.

    class TestConformance(WithTools, WithReasoning, DialectConformance): ...

A tier demands that requests of its kind are accepted and show in what is sent, and that the
corpus has a case of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from gateway.testing.cases import Case
from gateway.testing.conformance import DialectConformance
from gateway.testing.conversation import without_reasoning
from gateway.testing.preparing import Prepared
from gateway.testing.probes import SAYINGS, SETTINGS
from gateway.testing.suite import complain
from gateway.types.content import InputImage
from gateway.types.items import Message
from gateway.types.parameters import JsonSchemaFormat

__all__ = [
    "WithImages",
    "WithParallelTools",
    "WithReasoning",
    "WithStructuredOutput",
    "WithTools",
]

_Json = dict[str, Any]


class Tier(DialectConformance):
    """What the tiers share."""

    def _refused(self, *titles: str, settings: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield which of the kit's requests, by their titles or settings, are not accepted."""
        wanted = {title: SAYINGS[title] for title in titles}
        wanted |= {s.path: s.requests[0] for s in SETTINGS if s.path in settings}
        for title, request in wanted.items():
            prepared = self._prepare(request)
            if any(verdict.action != "emulate" for verdict in prepared.verdicts):
                yield f"{title}: {', '.join(f'{v.param} ({v.action})' for v in prepared.verdicts)}"

    def _outputs(self) -> Iterator[list[_Json]]:
        """Yield the output of each case."""
        for case in self._cases():
            yield self._output(case)

    def _demand(self, what: str, found: Iterable[object]) -> None:
        assert [*found], f"no case in {self.corpus} has {what}: add one"


class WithTools(Tier):
    """The upstream calls functions."""

    def test_functions_and_their_calls_are_accepted(self) -> None:
        complain(
            "a dialect with tools accepts functions, calls of them, and their outputs",
            self._refused("functions", "a call", "text between calls", "an output in parts"),
        )

    def test_a_case_calls_a_function(self) -> None:
        self._demand(
            "an answer with a function call",
            (output for output in self._outputs() if _count(output, "function_call")),
        )


class WithParallelTools(WithTools):
    """The upstream calls several functions in one turn."""

    def test_several_calls_in_one_turn_are_accepted(self) -> None:
        complain(
            "a dialect with parallel tools accepts several calls before their outputs",
            self._refused("two calls at once"),
        )

    def test_a_case_calls_functions_at_once(self) -> None:
        self._demand(
            "an answer with several function calls",
            (output for output in self._outputs() if _count(output, "function_call") > 1),
        )


class WithReasoning(Tier):
    """The upstream thinks, shows it, and wants to be reminded of it."""

    def test_the_effort_is_accepted(self) -> None:
        complain(
            "a dialect with reasoning lets the client say how hard to think",
            self._refused(settings=("reasoning.effort",)),
        )

    def test_a_case_shows_reasoning(self) -> None:
        self._demand(
            "an answer with reasoning",
            (output for output in self._outputs() if _count(output, "reasoning")),
        )

    def test_reasoning_goes_back_with_the_next_turn(self) -> None:
        self._demand(
            "reasoning that makes a difference to the request of the next turn",
            (case for case in self._cases() if self._reminds(case)),
        )

    def _reminds(self, case: Case) -> bool:
        call = self._next_turn(case)
        bodies = [
            Prepared(self.dialect, one).encode().body for one in (call, without_reasoning(call))
        ]
        return bodies[0] != bodies[1]


class WithImages(Tier):
    """The upstream looks at images."""

    def test_images_are_accepted(self) -> None:
        complain(
            "a dialect with images accepts them as data",
            self._refused("an image as data", "an image from a tool"),
        )

    def test_a_case_asks_about_an_image(self) -> None:
        parts = (
            part
            for case in self._cases()
            for item in case.request.input or ()
            if isinstance(item, Message)
            for part in item.content
        )
        self._demand("an image", (part for part in parts if isinstance(part, InputImage)))


class WithStructuredOutput(Tier):
    """The upstream keeps to a JSON Schema."""

    def test_a_schema_is_accepted(self) -> None:
        complain("a dialect with structured output takes a schema", self._refused("a schema"))

    def test_a_case_answers_by_a_schema(self) -> None:
        answers = [
            part["text"]
            for case, output in zip(self._cases(), self._outputs(), strict=True)
            if case.request.text and isinstance(case.request.text.format, JsonSchemaFormat)
            for item in output
            if item["type"] == "message"
            for part in item["content"]
        ]
        self._demand("an answer that follows a schema", answers)
        for answer in answers:
            msgspec.json.decode(answer)


def _count(output: list[_Json], kind: str) -> int:
    return sum(item["type"] == kind for item in output)
