"""Arguments of a function, read as the item of the tool that it stands for.

Models that do not know these tools are lenient with their schemas, and so is this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct

from gateway.errors import UpstreamProtocolError
from gateway.types.items import (
    ApplyPatchCall,
    LocalShellCall,
    OutputItem,
    ShellCall,
    ToolSearchCall,
)
from gateway.types.shell_items import PatchOperation, ShellAction
from gateway.types.wire import JsonObject

__all__ = ["GATHERED", "read_item"]


T = TypeVar("T")


class _Shell(Struct, frozen=True):
    commands: tuple[str, ...] | str
    timeout_ms: int | None = None
    max_output_length: int | None = None


class _LocalShell(Struct, frozen=True):
    command: tuple[str, ...] | str
    env: dict[str, str] | None = None
    timeout_ms: int | None = None
    user: str | None = None
    working_directory: str | None = None


class _Patch(Struct, frozen=True):
    type: Literal["create_file", "update_file", "delete_file"]
    path: str
    diff: str | None = None


def read_item(tool: str, call_id: str, arguments: str) -> OutputItem:
    """Return the call of `tool`, one of `GATHERED`.

    Raises `UpstreamProtocolError` if the arguments are not what that tool takes.
    """
    try:
        return GATHERED[tool](call_id, arguments.strip() or "{}")
    except msgspec.DecodeError as error:
        raise UpstreamProtocolError(
            f"the model called the tool {tool!r} wrongly, ask again: {error}"
        ) from error


def _read_shell(call_id: str, arguments: str) -> ShellCall:
    read = _converted(arguments, _Shell)
    commands = (read.commands,) if isinstance(read.commands, str) else read.commands
    action = ShellAction(
        commands=commands,
        timeout_ms=read.timeout_ms,
        max_output_length=read.max_output_length,
    )
    environment = {"type": "local"}
    return ShellCall(call_id=call_id, action=action, environment=environment, status="completed")


def _read_local_shell(call_id: str, arguments: str) -> LocalShellCall:
    read = _converted(arguments, _LocalShell)
    line = read.command
    action: JsonObject = {
        "type": "exec",
        "command": ["bash", "-lc", line] if isinstance(line, str) else list(line),
        "env": read.env or {},
        "timeout_ms": read.timeout_ms,
        "user": read.user,
        "working_directory": read.working_directory,
    }
    return LocalShellCall(call_id=call_id, action=action, status="completed")


def _read_patch(call_id: str, arguments: str) -> ApplyPatchCall:
    read = _converted(arguments, _Patch)
    diff = UNSET if read.type == "delete_file" else read.diff or ""
    operation = PatchOperation(type=read.type, path=read.path, diff=diff)
    return ApplyPatchCall(call_id=call_id, operation=operation, status="completed")


def _read_search(call_id: str, arguments: str) -> ToolSearchCall:
    read = msgspec.json.decode(arguments, type=dict[str, Any])
    return ToolSearchCall(call_id=call_id, arguments=read, execution="client", status="completed")


def _converted(arguments: str, shape: type[T]) -> T:
    return msgspec.json.decode(arguments, type=shape, strict=False)


GATHERED: Mapping[str, Callable[[str, str], OutputItem]] = {
    "shell": _read_shell,
    "local_shell": _read_local_shell,
    "apply_patch": _read_patch,
    "tool_search": _read_search,
}
"""The tools whose calls become an item when all their arguments are there."""
