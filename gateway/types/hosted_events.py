"""Stream events of hosted tools, audio and compaction: what the item is doing meanwhile.

Of the tools' events only those of `apply_patch` are missing in the SDK's union; OpenAI sends them.
"""

from msgspec import UNSET

from gateway.types.wire import JsonObject, Omittable, StreamEvent

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
    "FileSearchCallCompleted",
    "FileSearchCallInProgress",
    "FileSearchCallSearching",
    "HostedEvent",
    "ImageGenerationCallCompleted",
    "ImageGenerationCallGenerating",
    "ImageGenerationCallInProgress",
    "ImageGenerationCallPartialImage",
    "McpCallArgumentsDelta",
    "McpCallArgumentsDone",
    "McpCallCompleted",
    "McpCallFailed",
    "McpCallInProgress",
    "McpListToolsCompleted",
    "McpListToolsFailed",
    "McpListToolsInProgress",
    "ShellCallCommandAdded",
    "ShellCallCommandDelta",
    "ShellCallCommandDone",
    "ShellCallOutputContentDelta",
    "ShellCallOutputContentDone",
    "WebSearchCallCompleted",
    "WebSearchCallInProgress",
    "WebSearchCallSearching",
]


class ApplyPatchCallOperationDiffDelta(
    StreamEvent, kw_only=True, tag="response.apply_patch_call_operation_diff.delta"
):
    item_id: str
    output_index: int
    delta: str
    sequence_number: int = 0


class ApplyPatchCallOperationDiffDone(
    StreamEvent, kw_only=True, tag="response.apply_patch_call_operation_diff.done"
):
    item_id: str
    output_index: int
    diff: str
    sequence_number: int = 0


class AudioDelta(StreamEvent, kw_only=True, tag="response.audio.delta"):
    delta: str
    sequence_number: int = 0


class AudioDone(StreamEvent, kw_only=True, tag="response.audio.done"):
    sequence_number: int = 0


class AudioTranscriptDelta(StreamEvent, kw_only=True, tag="response.audio.transcript.delta"):
    delta: str
    sequence_number: int = 0


class AudioTranscriptDone(StreamEvent, kw_only=True, tag="response.audio.transcript.done"):
    sequence_number: int = 0


class CodeInterpreterCallInProgress(
    StreamEvent, kw_only=True, tag="response.code_interpreter_call.in_progress"
):
    item_id: str
    output_index: int
    sequence_number: int = 0


class CodeInterpreterCallInterpreting(
    StreamEvent, kw_only=True, tag="response.code_interpreter_call.interpreting"
):
    item_id: str
    output_index: int
    sequence_number: int = 0


class CodeInterpreterCallCompleted(
    StreamEvent, kw_only=True, tag="response.code_interpreter_call.completed"
):
    item_id: str
    output_index: int
    sequence_number: int = 0


class CodeInterpreterCallCodeDelta(
    StreamEvent, kw_only=True, tag="response.code_interpreter_call_code.delta"
):
    item_id: str
    output_index: int
    delta: str
    sequence_number: int = 0


class CodeInterpreterCallCodeDone(
    StreamEvent, kw_only=True, tag="response.code_interpreter_call_code.done"
):
    item_id: str
    output_index: int
    code: str
    sequence_number: int = 0


class CompactionCompacting(StreamEvent, kw_only=True, tag="response.compaction.compacting"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class FileSearchCallInProgress(
    StreamEvent, kw_only=True, tag="response.file_search_call.in_progress"
):
    item_id: str
    output_index: int
    sequence_number: int = 0


class FileSearchCallSearching(StreamEvent, kw_only=True, tag="response.file_search_call.searching"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class FileSearchCallCompleted(StreamEvent, kw_only=True, tag="response.file_search_call.completed"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class ImageGenerationCallInProgress(
    StreamEvent, kw_only=True, tag="response.image_generation_call.in_progress"
):
    item_id: str
    output_index: int
    sequence_number: int = 0


class ImageGenerationCallGenerating(
    StreamEvent, kw_only=True, tag="response.image_generation_call.generating"
):
    item_id: str
    output_index: int
    sequence_number: int = 0


class ImageGenerationCallPartialImage(
    StreamEvent, kw_only=True, tag="response.image_generation_call.partial_image"
):
    item_id: str
    output_index: int
    partial_image_b64: str
    partial_image_index: int
    background: Omittable[str] = UNSET
    output_format: Omittable[str] = UNSET
    quality: Omittable[str] = UNSET
    size: Omittable[str] = UNSET
    sequence_number: int = 0


class ImageGenerationCallCompleted(
    StreamEvent, kw_only=True, tag="response.image_generation_call.completed"
):
    item_id: str
    output_index: int
    sequence_number: int = 0


class McpCallInProgress(StreamEvent, kw_only=True, tag="response.mcp_call.in_progress"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class McpCallArgumentsDelta(StreamEvent, kw_only=True, tag="response.mcp_call_arguments.delta"):
    item_id: str
    output_index: int
    delta: str
    sequence_number: int = 0


class McpCallArgumentsDone(StreamEvent, kw_only=True, tag="response.mcp_call_arguments.done"):
    item_id: str
    output_index: int
    arguments: str
    sequence_number: int = 0


class McpCallCompleted(StreamEvent, kw_only=True, tag="response.mcp_call.completed"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class McpCallFailed(StreamEvent, kw_only=True, tag="response.mcp_call.failed"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class McpListToolsInProgress(StreamEvent, kw_only=True, tag="response.mcp_list_tools.in_progress"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class McpListToolsCompleted(StreamEvent, kw_only=True, tag="response.mcp_list_tools.completed"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class McpListToolsFailed(StreamEvent, kw_only=True, tag="response.mcp_list_tools.failed"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class ShellCallCommandAdded(StreamEvent, kw_only=True, tag="response.shell_call_command.added"):
    output_index: int
    command_index: int
    command: str
    sequence_number: int = 0


class ShellCallCommandDelta(StreamEvent, kw_only=True, tag="response.shell_call_command.delta"):
    output_index: int
    command_index: int
    delta: str
    sequence_number: int = 0


class ShellCallCommandDone(StreamEvent, kw_only=True, tag="response.shell_call_command.done"):
    output_index: int
    command_index: int
    command: str
    sequence_number: int = 0


class ShellCallOutputContentDelta(
    StreamEvent, kw_only=True, tag="response.shell_call_output_content.delta"
):
    item_id: str
    output_index: int
    command_index: int
    delta: JsonObject
    sequence_number: int = 0


class ShellCallOutputContentDone(
    StreamEvent, kw_only=True, tag="response.shell_call_output_content.done"
):
    item_id: str
    output_index: int
    command_index: int
    output: tuple[JsonObject, ...]
    sequence_number: int = 0


class WebSearchCallInProgress(
    StreamEvent, kw_only=True, tag="response.web_search_call.in_progress"
):
    item_id: str
    output_index: int
    sequence_number: int = 0


class WebSearchCallSearching(StreamEvent, kw_only=True, tag="response.web_search_call.searching"):
    item_id: str
    output_index: int
    sequence_number: int = 0


class WebSearchCallCompleted(StreamEvent, kw_only=True, tag="response.web_search_call.completed"):
    item_id: str
    output_index: int
    sequence_number: int = 0


HostedEvent = (
    ApplyPatchCallOperationDiffDelta
    | ApplyPatchCallOperationDiffDone
    | AudioDelta
    | AudioDone
    | AudioTranscriptDelta
    | AudioTranscriptDone
    | CodeInterpreterCallInProgress
    | CodeInterpreterCallInterpreting
    | CodeInterpreterCallCompleted
    | CodeInterpreterCallCodeDelta
    | CodeInterpreterCallCodeDone
    | CompactionCompacting
    | FileSearchCallInProgress
    | FileSearchCallSearching
    | FileSearchCallCompleted
    | ImageGenerationCallInProgress
    | ImageGenerationCallGenerating
    | ImageGenerationCallPartialImage
    | ImageGenerationCallCompleted
    | McpCallInProgress
    | McpCallArgumentsDelta
    | McpCallArgumentsDone
    | McpCallCompleted
    | McpCallFailed
    | McpListToolsInProgress
    | McpListToolsCompleted
    | McpListToolsFailed
    | ShellCallCommandAdded
    | ShellCallCommandDelta
    | ShellCallCommandDone
    | ShellCallOutputContentDelta
    | ShellCallOutputContentDone
    | WebSearchCallInProgress
    | WebSearchCallSearching
    | WebSearchCallCompleted
)
