"""The rules for what is told of a tool at work: the steps of its item, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from gateway.types.hosted_events import HostedEvent

__all__ = ["step_complaints"]

_Event = Mapping[str, Any]

_TYPES = {str(event.__struct_config__.tag) for event in get_args(HostedEvent)}
_ORDERS = {
    "mcp_list_tools": r"\.in_progress",
    "mcp_call": r"\.in_progress(_arguments\.delta)*(\.in_progress)?_arguments\.done",
    "web_search_call": r"\.in_progress(\.searching)*",
    "file_search_call": r"\.in_progress(\.searching)*",
    "code_interpreter_call": r"\.in_progress(_code\.delta)*_code\.done(\.interpreting)*",
    "image_generation_call": r"\.in_progress(\.generating)*(\.partial_image)*",
}
"""The steps by type of item, without that type, up to the last: completed or failed, if any."""

_TELL_FAILURE = {"mcp_list_tools", "mcp_call"}
_ENDS = (".completed", ".failed")


def step_complaints(events: Iterable[_Event], done: _Event) -> Iterator[str]:
    """Say what is wrong with the steps of an item whose events these are; `done` is its end.

    Items without steps, and events that no rule knows, are fine.
    """
    kind = done["type"]
    if kind not in _ORDERS:
        return
    types = [event["type"] for event in events if event["type"] in _TYPES]
    steps = [each.removeprefix("response.").removeprefix(kind) for each in types]
    end = steps.pop() if steps and steps[-1] in _ENDS else ""
    if not re.fullmatch(_ORDERS[kind], "".join(steps)):
        yield f"its steps came in the order {[each.lstrip('._') for each in steps]}"
    if end not in _ends(done):
        state = done.get("status") or ("failed" if done.get("error") else "completed")
        yield f"its last step is {end.lstrip('.') or 'missing'}, but it is {state} when done"


def _ends(done: _Event) -> set[str]:
    """Return what the last step may be of an item that ends as `done`; "" is none."""
    status, error = done.get("status"), done.get("error")
    tells_failure = done["type"] in _TELL_FAILURE
    if status == "incomplete":
        return {""}
    if status == "failed" or (error and not status):
        return {".failed"} if tells_failure else {"", ".completed"}
    return {".completed", ".failed"} if error and tells_failure else {".completed"}
