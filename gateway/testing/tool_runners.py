"""Tests that a tool runner must pass, whatever it runs.

    class TestConformance(ToolRunnerConformance):
        @pytest.fixture
        def tool(self):
            return WebSearchTool()

        @pytest.fixture
        async def runner(self):
            async with AcmeRunner(...) as runner:
                yield runner

The runner that the fixture gives is at work, and can run `tool` for the tenant `TENANT`.
What the kit cannot know is the author's to test: what a call does, and that one which fails, hangs
or answers too much is an outcome in time.
"""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from gateway.plugin import Invocation, ToolRunner
from gateway.types.tools import Tool

__all__ = ["TENANT", "ToolRunnerConformance"]

TENANT = "conformance"
NO_ARGUMENTS = ("{", "[]", "7", "null", '"text"', "\0", "[" * 100_000)
ERRORS = {
    "mcp_protocol_error": {"code", "message"},
    "mcp_tool_execution_error": {"content"},
    "http_error": {"code", "message"},
}


class ToolRunnerConformance:
    """Inherit, and give it the fixtures `runner` and `tool`."""

    def test_its_tool_is_of_its_types_and_passes_its_check(
        self, runner: ToolRunner, tool: Tool
    ) -> None:
        assert runner.types
        assert tool.type in runner.types
        assert isinstance(runner.insists(tool), bool)
        runner.check(tool, TENANT)

    async def test_its_functions_have_names_of_their_own_and_schemas(
        self, runner: ToolRunner, tool: Tool
    ) -> None:
        functions = await runner.functions(tool, TENANT, None)
        assert functions
        assert len({function.name for function in functions}) == len(functions)
        for function in functions:
            assert function.name
            msgspec.json.encode(function)
            assert function.parameters is None or function.parameters["type"] == "object"

    async def test_it_says_the_same_to_all_who_ask_at_once(
        self, runner: ToolRunner, tool: Tool
    ) -> None:
        asked = [runner.functions(tool, TENANT, None) for _ in range(8)]
        first, *others = [tuple(answer) for answer in await asyncio.gather(*asked)]
        assert all(answer == first for answer in others)

    async def test_it_knows_its_functions_again(self, runner: ToolRunner, tool: Tool) -> None:
        functions = await runner.functions(tool, TENANT, None)
        again = await runner.functions(tool, TENANT, tuple(functions))
        assert [function.name for function in again] == [function.name for function in functions]

    @pytest.mark.parametrize("arguments", NO_ARGUMENTS, ids=range(len(NO_ARGUMENTS)))
    async def test_arguments_that_make_no_sense_are_an_outcome(
        self, runner: ToolRunner, tool: Tool, arguments: str
    ) -> None:
        [function, *_] = await runner.functions(tool, TENANT, None)
        await _fail(runner, tool, function.name, arguments)

    async def test_a_function_that_it_does_not_have_is_an_outcome(
        self, runner: ToolRunner, tool: Tool
    ) -> None:
        await _fail(runner, tool, "invented_by_the_model", "{}")


async def _fail(runner: ToolRunner, tool: Tool, name: str, arguments: str) -> None:
    """Make a call that has to fail, and see that everybody is told so."""
    invocation = Invocation(tool=tool, name=name, arguments=arguments, tenant=TENANT)
    announced = runner.announce(invocation)
    outcome = await runner.run(invocation)
    assert outcome.output, "the model has to be told that it failed"
    assert outcome.error is not None
    assert {"type", *ERRORS[outcome.error["type"]]} == outcome.error.keys()
    msgspec.json.encode(outcome)
    told = [item and item.type for item in (announced, outcome.item)]
    assert told[0] == told[1], "an item that is announced has to end, and no other"
