"""Tests that a tool runner must pass, whatever it runs.

    class TestConformance(ToolRunnerConformance):
        @pytest.fixture
        def tool(self):
            return WebSearchTool()

        @pytest.fixture
        async def runner(self):
            async with AcmeRunner(...) as runner:
                yield runner

        @pytest.fixture
        def call(self):
            return "web_search", '{"query": "unicorns"}'

The runner that the fixture gives is at work, and can run `tool` for the tenant `TENANT`. `call` is
a function with arguments for which it does not fail; it is called many times.
What the kit cannot know is the author's to test: what a call does, and that one which fails, hangs
or answers too much is an outcome in time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import pytest

from gateway.plugin import Finished, Invocation, ToolOutcome, ToolRunner
from gateway.stream.assembler import Assembler
from gateway.stream.deltas import Delta, Hosted, HostedEnd
from gateway.stream.lifecycle import violations
from gateway.testing.replay import CountedIds, plain
from gateway.types.items import OutputItem
from gateway.types.response import Response
from gateway.types.tools import Tool

__all__ = ["TENANT", "ToolRunnerConformance"]

TENANT = "conformance"
NO_ARGUMENTS = ("{", "[]", "7", "null", '"text"', "\0", "[" * 100_000)
ERRORS = {
    "mcp_protocol_error": {"code", "message"},
    "mcp_tool_execution_error": {"content"},
    "http_error": {"code", "message"},
}
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what models take; the gateway fits those of MCP
MANY = 8

Made = tuple[str, str] | None


class ToolRunnerConformance:
    """Inherit, and give it the fixtures `runner`, `tool`, and `call` if one can be made.

    `secrets` are the credentials that the runner, or the tool, was given.
    """

    secrets: ClassVar[tuple[str, ...]] = ()

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def call(self) -> Made:
        return None

    async def test_its_tool_is_of_its_types_and_passes_its_check(
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
            assert NAME.fullmatch(function.name) or tool.type == "mcp"
            msgspec.json.encode(function)
            assert function.parameters is None or function.parameters["type"] == "object"

    async def test_only_calls_of_mcp_servers_need_approval(
        self, runner: ToolRunner, tool: Tool
    ) -> None:
        functions = await runner.functions(tool, TENANT, None)
        asks = any(function.needs_approval for function in functions)
        assert not asks or tool.type == "mcp", "clients know no approval of other calls"

    async def test_it_says_the_same_to_all_who_ask_at_once(
        self, runner: ToolRunner, tool: Tool
    ) -> None:
        asked = [runner.functions(tool, TENANT, None) for _ in range(MANY)]
        first, *others = [tuple(answer) for answer in await asyncio.gather(*asked)]
        assert all(answer == first for answer in others)

    async def test_it_knows_its_functions_again(self, runner: ToolRunner, tool: Tool) -> None:
        functions = await runner.functions(tool, TENANT, None)
        again = await runner.functions(tool, TENANT, tuple(functions))
        assert [function.name for function in again] == [function.name for function in functions]

    async def test_a_call_that_is_made_is_told_by_one_item(
        self, runner: ToolRunner, tool: Tool, call: Made
    ) -> None:
        invocation = _invocation(tool, call)
        names = [function.name for function in await runner.functions(tool, TENANT, None)]
        assert invocation.name in names
        announced = runner.announce(invocation)
        outcome = await runner.run(invocation)
        _succeeded(outcome)
        if announced is None or outcome.item is None:
            assert announced is outcome.item, "an item that is announced has to end, and no other"
            return
        assert tool.type != "mcp", "the gateway writes the items of MCP"
        assert getattr(announced, "status", "in_progress") == "in_progress"
        assert getattr(outcome.item, "status", "completed") == "completed"
        assert violations(_stream(announced, outcome.item)) == []

    async def test_a_call_that_is_cancelled_harms_no_other(
        self, runner: ToolRunner, tool: Tool, call: Made
    ) -> None:
        invocation = _invocation(tool, call)
        cancelled, others = [
            [asyncio.create_task(runner.run(invocation)) for _ in range(MANY)] for _ in range(2)
        ]
        await asyncio.sleep(0)  # each has begun
        for task in cancelled:
            task.cancel()
        await asyncio.wait(cancelled)
        for task in (*cancelled, *others):
            if task in others or not task.cancelled():
                _succeeded(await task)

    @pytest.mark.parametrize("arguments", NO_ARGUMENTS, ids=range(len(NO_ARGUMENTS)))
    async def test_arguments_that_make_no_sense_are_an_outcome(
        self, runner: ToolRunner, tool: Tool, arguments: str
    ) -> None:
        [function, *_] = await runner.functions(tool, TENANT, None)
        await self._fail(runner, tool, function.name, arguments)

    async def test_a_function_that_it_does_not_have_is_an_outcome(
        self, runner: ToolRunner, tool: Tool
    ) -> None:
        await self._fail(runner, tool, "invented_by_the_model", "{}")

    async def test_it_tells_no_secret(self, runner: ToolRunner, tool: Tool, call: Made) -> None:
        invocation = _invocation(tool, call)
        functions = await runner.functions(tool, TENANT, None)
        self._is_discreet(runner, functions, runner.announce(invocation))
        self._is_discreet(await runner.run(invocation))

    async def _fail(self, runner: ToolRunner, tool: Tool, name: str, arguments: str) -> None:
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
        self._is_discreet(outcome)

    def _is_discreet(self, *said: object) -> None:
        told = [secret in repr(one) for secret in self.secrets for one in said]
        assert not any(told), "a secret is in what the runner says"


def _invocation(tool: Tool, call: Made) -> Invocation:
    if call is None:
        pytest.skip("no call is given that does not fail")
    name, arguments = call
    return Invocation(tool=tool, name=name, arguments=arguments, tenant=TENANT)


def _succeeded(outcome: ToolOutcome) -> None:
    assert outcome.error is None
    assert outcome.output
    assert all(source.url for source in outcome.sources), "a source is cited by its URL"
    msgspec.json.encode(outcome)


def _stream(begun: OutputItem, done: OutputItem) -> list[Mapping[str, Any]]:
    """Return the stream of a response that is this call and nothing else."""
    ids = CountedIds()
    assembler = Assembler(Response(id="resp_1", created_at=100, model="some"), ids.mint, ids.now)
    events = assembler.start()
    deltas: tuple[Delta, ...] = (Hosted("call", begun), HostedEnd("call", done), Finished())
    for delta in deltas:
        events += assembler.feed(delta)
    return plain([*events, *assembler.finish()])
