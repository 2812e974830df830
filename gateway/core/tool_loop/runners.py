"""The tool runners of one engine, and which tools of a request they are to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Self

import msgspec
from msgspec import Struct

from gateway.core.intake import Intake, decode
from gateway.errors import InvalidRequestError, PluginError
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Dialect, NativeDialect, native
from gateway.plugin.tools import ToolRunner
from gateway.types.open import decode_hook
from gateway.types.request import Request
from gateway.types.tools import McpTool, Tool

__all__ = ["Claim", "Runners"]

_OPERATIONS = frozenset({"create", "input_tokens"})
_decode_tools = msgspec.json.Decoder(tuple[Tool, ...] | None, dec_hook=decode_hook).decode


class Claim(Struct, frozen=True, kw_only=True):
    """A tool of a request that the gateway runs, and where it stands among the tools."""

    position: int
    tool: Tool
    runner: ToolRunner


class Runners:
    """Owns the tool runners: entering it starts them, leaving it stops them.

    Raises `PluginError` if two of them run tools of the same type.
    """

    def __init__(self, runners: Iterable[ToolRunner]) -> None:
        self._by_type: dict[str, ToolRunner] = {}
        for runner in runners:
            for kind in runner.types:
                if self._by_type.setdefault(kind, runner) is not runner:
                    raise PluginError(
                        f"two plugins run tools of the type {kind!r}; block one of them"
                        " with `plugins: {block: [...]}`"
                    )
        self._marks = [f'"{kind}"'.encode() for kind in self._by_type]
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as resources:
            for runner in dict.fromkeys(self._by_type.values()):
                await resources.enter_async_context(runner)
            self._resources = resources.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._resources.aclose()

    def runs(self, kind: str) -> bool:
        """Say whether tools of the type `kind` are run here."""
        return kind in self._by_type

    def claims(
        self,
        intake: Intake,
        candidates: Sequence[Deployment],
        dialect: Callable[[Deployment], Dialect | NativeDialect],
        *,
        answered: bool,
    ) -> tuple[Claim, ...]:
        """Return the tools of a request that the gateway runs, whichever candidate answers it: of
        one type all, or none. `answered` says that the client answers what it was asked here.

        Raises `InvalidRequestError` for a tool that cannot be run for the tenant.
        """
        written = bytes(intake.head.tools)
        if intake.envelope.operation not in _OPERATIONS or not self._may_claim(written):
            return ()
        dialects = [(deployment, dialect(deployment)) for deployment in candidates]
        all_native = all(native(found) for _, found in dialects)
        try:
            tools = decode(_decode_tools, written) or ()
        except InvalidRequestError:
            if all_native:
                return ()  # the upstream may understand it, and says so if not
            raise
        claims = [
            Claim(position=position, tool=tool, runner=self._by_type[tool.type])
            for position, tool in enumerate(tools)
            if tool.type in self._by_type
        ]
        types = {
            claim.tool.type
            for claim in claims
            if claim.runner.insists(claim.tool)
            or (answered and isinstance(claim.tool, McpTool))
            or any(_is_left_to_us(claim.tool, *candidate) for candidate in dialects)
        }
        found = tuple(
            claim
            for claim in claims
            if claim.tool.type in types and not (_is_only_theirs(claim.tool) and all_native)
        )
        for claim in found:
            _check(claim, intake.tenant)
        return found

    def _may_claim(self, tools: bytes) -> bool:
        return any(mark in tools for mark in self._marks)


def _is_left_to_us(tool: Tool, deployment: Deployment, dialect: Dialect | NativeDialect) -> bool:
    """Say whether `deployment` cannot run `tool`, or is not to."""
    if native(dialect):
        return deployment.tools == "gateway" and not _is_only_theirs(tool)
    if deployment.tools == "gateway":
        return True
    verdicts = dialect.check(Request(model=deployment.alias, tools=(tool,)), deployment)
    return any(
        verdict.action == "reject" and verdict.param.startswith("tools[0]") for verdict in verdicts
    )


def _is_only_theirs(tool: Tool) -> bool:
    """Say whether `tool` is a connector of OpenAI's, or a tunnel through it."""
    return isinstance(tool, McpTool) and bool(tool.connector_id or tool.tunnel_id)


def _check(claim: Claim, tenant: str) -> None:
    try:
        claim.runner.check(claim.tool, tenant)
    except InvalidRequestError as error:
        where = f"tools[{claim.position}]"
        error.param = f"{where}.{error.param}" if error.param else where
        raise
