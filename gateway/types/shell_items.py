"""Items of tools that work on a machine: local shell, shell and apply_patch."""

from msgspec import UNSET, Struct

from gateway.types.wire import JsonObject, Omittable, Tagged

__all__ = [
    "ApplyPatchCall",
    "ApplyPatchCallOutput",
    "LocalShellCall",
    "LocalShellCallOutput",
    "PatchOperation",
    "ShellAction",
    "ShellCall",
    "ShellCallOutput",
]


class LocalShellCall(Tagged, Struct, frozen=True, kw_only=True, tag="local_shell_call"):
    """One command for the client to run; `action` is an `exec` object."""

    call_id: str
    action: JsonObject
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET


class LocalShellCallOutput(
    Tagged, Struct, frozen=True, kw_only=True, tag="local_shell_call_output"
):
    """What the command printed; it names its call by `id`, some clients by `call_id`."""

    output: str
    id: Omittable[str] = UNSET
    call_id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET


class ShellAction(Struct, frozen=True, kw_only=True):
    """Commands to run, each for at most `timeout_ms`, with output cut at `max_output_length`."""

    commands: tuple[str, ...] = ()
    timeout_ms: Omittable[int] = UNSET
    max_output_length: Omittable[int] = UNSET


class ShellCall(Tagged, Struct, frozen=True, kw_only=True, tag="shell_call"):
    call_id: str
    action: ShellAction
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    environment: Omittable[JsonObject] = UNSET
    caller: Omittable[JsonObject] = UNSET
    created_by: Omittable[str] = UNSET


class ShellCallOutput(Tagged, Struct, frozen=True, kw_only=True, tag="shell_call_output"):
    """One object per command: `{"stdout", "stderr", "outcome"}`."""

    call_id: str
    output: tuple[JsonObject, ...] = ()
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    max_output_length: Omittable[int] = UNSET
    caller: Omittable[JsonObject] = UNSET
    created_by: Omittable[str] = UNSET


class PatchOperation(Struct, frozen=True, kw_only=True):
    """`type` is "create_file", "update_file" or "delete_file" (which has no `diff`)."""

    type: str
    path: str
    diff: Omittable[str] = UNSET


class ApplyPatchCall(Tagged, Struct, frozen=True, kw_only=True, tag="apply_patch_call"):
    call_id: str
    operation: PatchOperation
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    caller: Omittable[JsonObject] = UNSET
    created_by: Omittable[str] = UNSET


class ApplyPatchCallOutput(
    Tagged, Struct, frozen=True, kw_only=True, tag="apply_patch_call_output"
):
    call_id: str
    status: str
    id: Omittable[str] = UNSET
    output: Omittable[str] = UNSET
    caller: Omittable[JsonObject] = UNSET
    created_by: Omittable[str] = UNSET
