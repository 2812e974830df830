"""Which tools of a server may be called, and which calls need the client's approval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec.structs import replace

from gateway.plugin import ToolFunction
from gateway.types.tools import McpApprovalPolicy, McpToolFilter

__all__ = ["Allowed", "Approval", "allows", "depends_on_hints", "needs_approval", "offered"]

Allowed = tuple[str, ...] | McpToolFilter | None
"""The forms of `allowed_tools`; None allows all."""

Approval = Literal["always", "never"] | McpApprovalPolicy | None
"""The forms of `require_approval`; None is always."""


def allows(allowed: Allowed, tool: ToolFunction) -> bool:
    """Say whether `allowed` has `tool` in it."""
    if isinstance(allowed, tuple):
        return tool.name in allowed
    return allowed is None or _matches(allowed, tool)


def depends_on_hints(allowed: Allowed) -> bool:
    """Say whether `allowed` asks what a server says of its tools, and not only for their names."""
    return isinstance(allowed, McpToolFilter) and isinstance(allowed.read_only, bool)


def needs_approval(policy: Approval, tool: ToolFunction) -> bool:
    """Say whether the client has to agree to a call of `tool`.

    It need not only where the policy leaves no doubt: a tool that both rules match, or neither of
    two, needs approval.
    """
    if policy is None or isinstance(policy, str):
        return policy != "never"
    always, never = policy.always, policy.never
    if not never:
        return not always or _matches(always, tool)
    return not _matches(never, tool) or bool(always and _matches(always, tool))


def offered(
    tools: Iterable[ToolFunction], allowed: Iterable[Allowed], policies: Iterable[Approval]
) -> tuple[ToolFunction, ...]:
    """Return those of `tools` that all of `allowed` let pass.

    Each says whether it needs approval, which it does as soon as one of `policies` says so.
    """
    filters, rules = tuple(allowed), tuple(policies)
    return tuple(
        replace(tool, needs_approval=any(needs_approval(rule, tool) for rule in rules))
        for tool in tools
        if all(allows(one, tool) for one in filters)
    )


def _matches(wanted: McpToolFilter, tool: ToolFunction) -> bool:
    """An empty filter matches all; a tool of which nothing is said does not count as read-only."""
    if isinstance(wanted.tool_names, tuple) and tool.name not in wanted.tool_names:
        return False
    return not isinstance(wanted.read_only, bool) or wanted.read_only == bool(tool.read_only)
