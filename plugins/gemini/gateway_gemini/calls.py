"""Function calls whose arguments come in pieces."""

from __future__ import annotations

import re
from typing import Any

from gateway.errors import UpstreamProtocolError
from gateway_gemini.wire import FunctionCall

__all__ = ["CallReader"]

_STEP = re.compile(r"""\.([^.\[]+)|\[(\d+)\]|\[(['"])(.*?)\3\]""")


class CallReader:
    """A call that has begun; `args` are its arguments so far."""

    def __init__(self, begun: FunctionCall, signature: str) -> None:
        self.id = begun.id
        self.name = begun.name or ""
        self.signature = signature
        self.args: dict[str, Any] = {**(begun.args or {})}

    def add(self, said: FunctionCall) -> None:
        """Add the arguments of another piece. Raises `UpstreamProtocolError`."""
        for piece in said.partial_args or ():
            path = str(piece.get("jsonPath", "$"))
            found = _STEP.finditer(path)
            steps = [int(step[2]) if step[2] else step[1] or step[4] for step in found]
            values = (piece.get(f"{kind}Value") for kind in ("string", "number", "bool"))
            try:
                _put(self.args, steps, next((one for one in values if one is not None), None))
            except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
                raise UpstreamProtocolError(
                    f"gemini sent an argument for the impossible place {path[:40]!r}"
                ) from error


def _put(holder: Any, steps: list[Any], value: Any) -> None:
    """Put `value` where `steps` lead from `holder`; more of a text goes to its end."""
    step, *others = steps
    if step == len(holder) and isinstance(step, int):
        holder.append(None)
    before = holder[step] if isinstance(step, int) else holder.get(step)
    if others:
        new: Any = [] if isinstance(others[0], int) else {}
        holder[step] = new if before is None else before
        _put(holder[step], others, value)
    else:
        holder[step] = before + value if isinstance(before, str) else value
