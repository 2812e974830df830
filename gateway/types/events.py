"""Events of a streamed response, in wire shape.

Those of content and of hosted tools live in modules of their own and are named here again.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.types.content_events import (
    ContentEvent,
    ContentPartAdded,
    ContentPartDone,
    CustomToolCallInputDelta,
    CustomToolCallInputDone,
    FunctionCallArgumentsDelta,
    FunctionCallArgumentsDone,
    OutputItemAdded,
    OutputItemDone,
    OutputTextAnnotationAdded,
    OutputTextDelta,
    OutputTextDone,
    ReasoningSummaryPartAdded,
    ReasoningSummaryPartDone,
    ReasoningSummaryTextDelta,
    ReasoningSummaryTextDone,
    ReasoningTextDelta,
    ReasoningTextDone,
    RefusalDelta,
    RefusalDone,
)
from gateway.types.hosted_events import (
    ApplyPatchCallOperationDiffDelta,
    ApplyPatchCallOperationDiffDone,
    AudioDelta,
    AudioDone,
    AudioTranscriptDelta,
    AudioTranscriptDone,
    CodeInterpreterCallCodeDelta,
    CodeInterpreterCallCodeDone,
    CodeInterpreterCallCompleted,
    CodeInterpreterCallInProgress,
    CodeInterpreterCallInterpreting,
    CompactionCompacting,
    FileSearchCallCompleted,
    FileSearchCallInProgress,
    FileSearchCallSearching,
    HostedEvent,
    ImageGenerationCallCompleted,
    ImageGenerationCallGenerating,
    ImageGenerationCallInProgress,
    ImageGenerationCallPartialImage,
    McpCallArgumentsDelta,
    McpCallArgumentsDone,
    McpCallCompleted,
    McpCallFailed,
    McpCallInProgress,
    McpListToolsCompleted,
    McpListToolsFailed,
    McpListToolsInProgress,
    ShellCallCommandAdded,
    ShellCallCommandDelta,
    ShellCallCommandDone,
    ShellCallOutputContentDelta,
    ShellCallOutputContentDone,
    WebSearchCallCompleted,
    WebSearchCallInProgress,
    WebSearchCallSearching,
)
from gateway.types.open import Unknown, lenient_hook
from gateway.types.response import Response, decode_response
from gateway.types.wire import StreamEvent, read_answer

__all__ = [
    "ApplyPatchCallOperationDiffDelta",
    "ApplyPatchCallOperationDiffDone",
    "AudioDelta",
    "AudioDone",
    "AudioTranscriptDelta",
    "AudioTranscriptDone",
    "CodeInterpreterCallCodeDelta",
    "CodeInterpreterCallCodeDone",
    "CodeInterpreterCallCompleted",
    "CodeInterpreterCallInProgress",
    "CodeInterpreterCallInterpreting",
    "CompactionCompacting",
    "ContentPartAdded",
    "ContentPartDone",
    "CustomToolCallInputDelta",
    "CustomToolCallInputDone",
    "Error",
    "ErrorDetail",
    "Event",
    "FileSearchCallCompleted",
    "FileSearchCallInProgress",
    "FileSearchCallSearching",
    "FunctionCallArgumentsDelta",
    "FunctionCallArgumentsDone",
    "ImageGenerationCallCompleted",
    "ImageGenerationCallGenerating",
    "ImageGenerationCallInProgress",
    "ImageGenerationCallPartialImage",
    "Keepalive",
    "Lifecycle",
    "McpCallArgumentsDelta",
    "McpCallArgumentsDone",
    "McpCallCompleted",
    "McpCallFailed",
    "McpCallInProgress",
    "McpListToolsCompleted",
    "McpListToolsFailed",
    "McpListToolsInProgress",
    "OutputItemAdded",
    "OutputItemDone",
    "OutputTextAnnotationAdded",
    "OutputTextDelta",
    "OutputTextDone",
    "ReasoningSummaryPartAdded",
    "ReasoningSummaryPartDone",
    "ReasoningSummaryTextDelta",
    "ReasoningSummaryTextDone",
    "ReasoningTextDelta",
    "ReasoningTextDone",
    "RefusalDelta",
    "RefusalDone",
    "ResponseCompleted",
    "ResponseCreated",
    "ResponseFailed",
    "ResponseInProgress",
    "ResponseIncomplete",
    "ResponseQueued",
    "ShellCallCommandAdded",
    "ShellCallCommandDelta",
    "ShellCallCommandDone",
    "ShellCallOutputContentDelta",
    "ShellCallOutputContentDone",
    "Terminal",
    "WebSearchCallCompleted",
    "WebSearchCallInProgress",
    "WebSearchCallSearching",
    "decode_event",
]


class ResponseCreated(StreamEvent, kw_only=True, tag="response.created"):
    response: Response
    sequence_number: int = 0


class ResponseQueued(StreamEvent, kw_only=True, tag="response.queued"):
    response: Response
    sequence_number: int = 0


class ResponseInProgress(StreamEvent, kw_only=True, tag="response.in_progress"):
    response: Response
    sequence_number: int = 0


class ResponseCompleted(StreamEvent, kw_only=True, tag="response.completed"):
    response: Response
    sequence_number: int = 0


class ResponseIncomplete(StreamEvent, kw_only=True, tag="response.incomplete"):
    response: Response
    sequence_number: int = 0


class ResponseFailed(StreamEvent, kw_only=True, tag="response.failed"):
    response: Response
    sequence_number: int = 0


class ErrorDetail(Struct, kw_only=True, frozen=True):
    """An error as the body of an HTTP answer would say it."""

    type: str | None = None
    code: str | None = None
    message: str = ""
    param: str | None = None


class Error(StreamEvent, kw_only=True, tag="error"):
    """An error in mid-stream, in both shapes: some clients read the flat one, some the nested."""

    code: str | None = None
    message: str = ""
    param: str | None = None
    error: ErrorDetail | UnsetType = UNSET
    sequence_number: int = 0

    @classmethod
    def of(cls, detail: ErrorDetail) -> "Error":
        """Say *detail* in both shapes."""
        return cls(code=detail.code, message=detail.message, param=detail.param, error=detail)


class Keepalive(StreamEvent, kw_only=True, tag="keepalive"):
    sequence_number: int = 0


Terminal = ResponseCompleted | ResponseIncomplete | ResponseFailed
Lifecycle = ResponseCreated | ResponseQueued | ResponseInProgress | Terminal
KnownEvent = Lifecycle | Error | Keepalive | ContentEvent | HostedEvent
Event = KnownEvent | Unknown


class _Carrier(Struct):
    response: Raw


_known: msgspec.json.Decoder[KnownEvent] = msgspec.json.Decoder(KnownEvent, dec_hook=lenient_hook)
_carrier = msgspec.json.Decoder(_Carrier)


def decode_event(data: bytes) -> Event:
    """Decode the data of one frame; an event that is new to us, or does not fit, is `Unknown`.

    The event, and the response of a lifecycle event, keep their bytes for `to_dict`. Raises
    msgspec.DecodeError when *data* is not a JSON object.
    """
    try:
        event = read_answer(_known, data)
    except msgspec.ValidationError:
        return Unknown(msgspec.json.decode(data, type=dict[str, Any]))
    if isinstance(event, Lifecycle):
        event.response = decode_response(_carrier.decode(data).response)
    elif isinstance(event, Error) and event.error and not event.message:
        detail = event.error
        event.code, event.message, event.param = detail.code, detail.message, detail.param
    return event
