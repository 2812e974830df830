"""The kit for tool runners finds what is wrong with one."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

import pytest

from gateway.plugin import Invocation, Source, ToolFunction, ToolOutcome, ToolRunner
from gateway.testing import ToolRunnerConformance
from gateway.types.items import CodeInterpreterCall, OutputItem, WebSearchCall
from gateway.types.tools import Tool, WebSearchTool

SECRET = "invented-credential"
CALL = ("find", "good")
SEARCH = WebSearchCall(status="in_progress", action={"type": "search", "query": "q"})
FOUND = WebSearchCall(status="completed", action={"type": "search", "query": "q"})
ERROR = {"type": "http_error", "code": 502, "message": "no"}

Rule = Callable[..., Awaitable[None]]


class Sound(ToolRunner):
    """Finds the same, whatever it is asked for; it knows two words that make sense to it."""

    types: ClassVar[frozenset[str]] = frozenset({"web_search"})
    function = ToolFunction(name="find", parameters={"type": "object"})
    begun: OutputItem | None = SEARCH
    good = ToolOutcome(output="a page", item=FOUND)
    bad = ToolOutcome(output="no", error=ERROR)

    async def __aexit__(self, *exception: object) -> None: ...

    def insists(self, tool: Tool, /) -> bool:
        return False

    def check(self, tool: Tool, tenant: str, /) -> None: ...

    async def functions(
        self, tool: Tool, tenant: str, known: Sequence[ToolFunction] | None, /
    ) -> Sequence[ToolFunction]:
        return [self.function]

    def announce(self, invocation: Invocation, /) -> OutputItem | None:
        return self.begun if invocation.arguments == "good" else None

    async def run(self, invocation: Invocation, /) -> ToolOutcome:
        return self.good if invocation.arguments == "good" else self.bad


class Kit(ToolRunnerConformance):
    __test__ = False
    secrets = (SECRET,)


def runner(**changes: Any) -> Sound:
    """Return a runner that differs from a sound one."""
    changed = Sound()
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


TOLD = Kit.test_a_call_that_is_made_is_told_by_one_item
FAILING = Kit.test_a_function_that_it_does_not_have_is_an_outcome
SECRETS = Kit.test_it_tells_no_secret

FLAWS = {
    "type": (Kit.test_its_tool_is_of_its_types_and_passes_its_check, {"types": frozenset({"mcp"})}),
    "name": (
        Kit.test_its_functions_have_names_of_their_own_and_schemas,
        {"function": ToolFunction(name="find it")},
    ),
    "approval": (
        Kit.test_only_calls_of_mcp_servers_need_approval,
        {"function": ToolFunction(name="find", needs_approval=True)},
    ),
    "function": (TOLD, {"function": ToolFunction(name="seek")}),
    "failure": (TOLD, {"good": ToolOutcome(output="no", error=ERROR, item=FOUND)}),
    "silence": (TOLD, {"good": ToolOutcome(output="", item=FOUND)}),
    "source": (TOLD, {"good": ToolOutcome(output="x", item=FOUND, sources=(Source(url=""),))}),
    "no_end": (TOLD, {"good": ToolOutcome(output="a page")}),
    "no_begin": (TOLD, {"begun": None}),
    "begun_as_done": (TOLD, {"begun": FOUND}),
    "done_as_begun": (TOLD, {"good": ToolOutcome(output="a page", item=SEARCH)}),
    "another_item": (
        TOLD,
        {"good": ToolOutcome(output="a page", item=CodeInterpreterCall(container_id="c"))},
    ),
    "no_error": (FAILING, {"bad": ToolOutcome(output="a page")}),
    "no_reason": (FAILING, {"bad": ToolOutcome(output="", error=ERROR)}),
    "odd_error": (FAILING, {"bad": ToolOutcome(output="no", error={**ERROR, "url": "x"})}),
    "item": (FAILING, {"bad": ToolOutcome(output="no", error=ERROR, item=FOUND)}),
    "leak": (SECRETS, {"good": ToolOutcome(output=f"a page for {SECRET}", item=FOUND)}),
    "told_leak": (SECRETS, {"function": ToolFunction(name="find", description=SECRET)}),
    "failed_leak": (FAILING, {"bad": ToolOutcome(output=f"no {SECRET}", error=ERROR)}),
}


async def follow(rule: Rule, runner: Sound) -> None:
    given = {"self": Kit(), "runner": runner, "tool": WebSearchTool(), "call": CALL}
    await rule(**{name: given[name] for name in inspect.signature(rule).parameters})


@pytest.mark.parametrize("flaw", FLAWS)
async def test_a_flaw_breaks_its_rule(flaw: str) -> None:
    rule, changes = FLAWS[flaw]
    await follow(rule, runner())
    with pytest.raises(AssertionError):
        await follow(rule, runner(**changes))


async def test_calls_that_fail_when_others_are_cancelled_break_their_rule() -> None:
    async def run(invocation: Invocation) -> ToolOutcome:
        return ToolOutcome(output="no", error=ERROR)

    rule = Kit.test_a_call_that_is_cancelled_harms_no_other
    await follow(rule, runner())
    with pytest.raises(AssertionError):
        await follow(rule, runner(run=run))
