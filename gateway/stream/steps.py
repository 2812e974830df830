"""What is told of a tool at work, between the added and the done event of its item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from gateway.types.events import (
    CodeInterpreterCallCodeDelta,
    CodeInterpreterCallCodeDone,
    CodeInterpreterCallCompleted,
    CodeInterpreterCallInProgress,
    CodeInterpreterCallInterpreting,
    FileSearchCallCompleted,
    FileSearchCallInProgress,
    FileSearchCallSearching,
    ImageGenerationCallCompleted,
    ImageGenerationCallGenerating,
    ImageGenerationCallInProgress,
    KnownEvent,
    McpCallArgumentsDelta,
    McpCallArgumentsDone,
    McpCallCompleted,
    McpCallFailed,
    McpCallInProgress,
    McpListToolsCompleted,
    McpListToolsFailed,
    McpListToolsInProgress,
    WebSearchCallCompleted,
    WebSearchCallInProgress,
    WebSearchCallSearching,
)
from gateway.types.items import (
    CodeInterpreterCall,
    FileSearchCall,
    ImageGenerationCall,
    McpCall,
    McpListTools,
    OutputItem,
    WebSearchCall,
)
from gateway.types.open import Unknown

__all__ = ["Outcome", "Steps", "outcome"]

Outcome = Literal["completed", "failed", "incomplete"]

T = TypeVar("T", bound=OutputItem)
_Step = Callable[..., KnownEvent]


class _Writing(Struct, frozen=True):
    """The member of an item that is told in pieces, and how."""

    member: str
    delta: _Step
    done: _Step


class _Family(Struct, frozen=True):
    """The steps of one kind of item: at its begin, once all is written, and by how it ends."""

    begin: tuple[_Step, ...] = ()
    writing: _Writing | None = None
    work: tuple[_Step, ...] = ()
    end: Mapping[str, _Step] = {}


_SILENT = _Family()
_FAMILIES: dict[type, _Family] = {
    McpListTools: _Family(
        begin=(McpListToolsInProgress,),
        end={"completed": McpListToolsCompleted, "failed": McpListToolsFailed},
    ),
    McpCall: _Family(
        begin=(McpCallInProgress,),
        writing=_Writing("arguments", McpCallArgumentsDelta, McpCallArgumentsDone),
        end={"completed": McpCallCompleted, "failed": McpCallFailed},
    ),
    WebSearchCall: _Family(
        begin=(WebSearchCallInProgress, WebSearchCallSearching),
        end={"completed": WebSearchCallCompleted},
    ),
    FileSearchCall: _Family(
        begin=(FileSearchCallInProgress, FileSearchCallSearching),
        end={"completed": FileSearchCallCompleted},
    ),
    CodeInterpreterCall: _Family(
        begin=(CodeInterpreterCallInProgress,),
        writing=_Writing("code", CodeInterpreterCallCodeDelta, CodeInterpreterCallCodeDone),
        work=(CodeInterpreterCallInterpreting,),
        end={"completed": CodeInterpreterCallCompleted},
    ),
    ImageGenerationCall: _Family(
        begin=(ImageGenerationCallInProgress, ImageGenerationCallGenerating),
        end={"completed": ImageGenerationCallCompleted},
    ),
}
"""The kinds that have steps; all others are only added and done."""


class Steps:
    """Tells of `item`, which has its id, at `index`: `begin`, any number of `write`, then `end`.

    `complete` says before the end that all is written, after which `write` is over.
    """

    def __init__(self, item: OutputItem, index: int) -> None:
        self._family = _FAMILIES.get(type(item), _SILENT)
        self._place: dict[str, Any] = {
            "item_id": getattr(item, "id", None),
            "output_index": index,
        }
        self._approved = isinstance(item, McpCall) and bool(item.approval_request_id)
        self._pieces: list[str] = []
        self.is_complete = self._family.writing is None

    @property
    def written(self) -> str:
        """All that was written so far."""
        return "".join(self._pieces)

    def begin(self) -> list[KnownEvent]:
        return self._told(*self._family.begin)

    def write(self, text: str) -> list[KnownEvent]:
        writing = self._family.writing
        if not text or writing is None:
            return []
        self._pieces.append(text)
        return [writing.delta(delta=text, **self._place)]

    def write_rest(self, item: OutputItem) -> list[KnownEvent]:
        """Write what `item` says beyond what was written, if it says the same so far."""
        if self._family.writing is None or self.is_complete:
            return []
        whole: str = getattr(item, self._family.writing.member) or ""
        return self.write(whole[len(self.written) :]) if whole.startswith(self.written) else []

    def complete(self) -> list[KnownEvent]:
        writing = self._family.writing
        if writing is None or self.is_complete:
            return []
        self.is_complete = True
        # OpenAI tells that an approved call goes on once its arguments are there again.
        again = self._told(McpCallInProgress) if self._approved else []
        done = writing.done(**{writing.member: self.written}, **self._place)
        return [*again, done, *self._told(*self._family.work)]

    def end(self, item: OutputItem) -> list[KnownEvent]:
        """Return what is left to tell of `item`, which is how it all ended."""
        step = self._family.end.get(outcome(item))
        return [
            *self.write_rest(item),
            *self.complete(),
            *(self._told(step) if step else ()),
        ]

    def as_written(self, item: T) -> T:
        """Return `item` with what was written of it."""
        if isinstance(item, Unknown) or self._family.writing is None:
            return item
        return msgspec.structs.replace(item, **{self._family.writing.member: self.written})

    def _told(self, *steps: _Step) -> list[KnownEvent]:
        return [step(**self._place) for step in steps]


def outcome(item: OutputItem) -> Outcome:
    """Return how the tool's work ended of which `item` tells."""
    members = item if isinstance(item, Unknown) else msgspec.structs.asdict(item)
    if members.get("status") == "failed" or members.get("error"):
        return "failed"
    return "incomplete" if members.get("status") == "incomplete" else "completed"
