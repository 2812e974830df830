"""Stream events of items and their content: text, refusals, reasoning and tool arguments."""

from msgspec import UNSET

from gateway.types.content import Annotation, ContentPart, Logprob, SummaryText
from gateway.types.items import OutputItem
from gateway.types.wire import Omittable, StreamEvent

__all__ = [
    "ContentEvent",
    "ContentPartAdded",
    "ContentPartDone",
    "CustomToolCallInputDelta",
    "CustomToolCallInputDone",
    "FunctionCallArgumentsDelta",
    "FunctionCallArgumentsDone",
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
]


class OutputItemAdded(StreamEvent, kw_only=True, tag="response.output_item.added"):
    output_index: int
    item: OutputItem
    sequence_number: int = 0


class OutputItemDone(StreamEvent, kw_only=True, tag="response.output_item.done"):
    output_index: int
    item: OutputItem
    sequence_number: int = 0


class ContentPartAdded(StreamEvent, kw_only=True, tag="response.content_part.added"):
    item_id: str
    output_index: int
    content_index: int
    part: ContentPart
    sequence_number: int = 0


class ContentPartDone(StreamEvent, kw_only=True, tag="response.content_part.done"):
    item_id: str
    output_index: int
    content_index: int
    part: ContentPart
    sequence_number: int = 0


class OutputTextDelta(StreamEvent, kw_only=True, tag="response.output_text.delta"):
    item_id: str
    output_index: int
    content_index: int
    delta: str
    logprobs: tuple[Logprob, ...] = ()
    sequence_number: int = 0


class OutputTextDone(StreamEvent, kw_only=True, tag="response.output_text.done"):
    item_id: str
    output_index: int
    content_index: int
    text: str
    logprobs: tuple[Logprob, ...] = ()
    sequence_number: int = 0


class OutputTextAnnotationAdded(
    StreamEvent, kw_only=True, tag="response.output_text.annotation.added"
):
    item_id: str
    output_index: int
    content_index: int
    annotation_index: int
    annotation: Annotation | None = None
    sequence_number: int = 0


class RefusalDelta(StreamEvent, kw_only=True, tag="response.refusal.delta"):
    item_id: str
    output_index: int
    content_index: int
    delta: str
    sequence_number: int = 0


class RefusalDone(StreamEvent, kw_only=True, tag="response.refusal.done"):
    item_id: str
    output_index: int
    content_index: int
    refusal: str
    sequence_number: int = 0


class ReasoningSummaryPartAdded(
    StreamEvent, kw_only=True, tag="response.reasoning_summary_part.added"
):
    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText
    sequence_number: int = 0


class ReasoningSummaryPartDone(
    StreamEvent, kw_only=True, tag="response.reasoning_summary_part.done"
):
    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText
    status: Omittable[str] = UNSET
    sequence_number: int = 0


class ReasoningSummaryTextDelta(
    StreamEvent, kw_only=True, tag="response.reasoning_summary_text.delta"
):
    item_id: str
    output_index: int
    summary_index: int
    delta: str
    sequence_number: int = 0


class ReasoningSummaryTextDone(
    StreamEvent, kw_only=True, tag="response.reasoning_summary_text.done"
):
    item_id: str
    output_index: int
    summary_index: int
    text: str
    sequence_number: int = 0


class ReasoningTextDelta(StreamEvent, kw_only=True, tag="response.reasoning_text.delta"):
    item_id: str
    output_index: int
    content_index: int
    delta: str
    sequence_number: int = 0


class ReasoningTextDone(StreamEvent, kw_only=True, tag="response.reasoning_text.done"):
    item_id: str
    output_index: int
    content_index: int
    text: str
    sequence_number: int = 0


class FunctionCallArgumentsDelta(
    StreamEvent, kw_only=True, tag="response.function_call_arguments.delta"
):
    item_id: str
    output_index: int
    delta: str
    sequence_number: int = 0


class FunctionCallArgumentsDone(
    StreamEvent, kw_only=True, tag="response.function_call_arguments.done"
):
    item_id: str
    output_index: int
    arguments: str
    sequence_number: int = 0


class CustomToolCallInputDelta(
    StreamEvent, kw_only=True, tag="response.custom_tool_call_input.delta"
):
    item_id: str
    output_index: int
    delta: str
    sequence_number: int = 0


class CustomToolCallInputDone(
    StreamEvent, kw_only=True, tag="response.custom_tool_call_input.done"
):
    item_id: str
    output_index: int
    input: str
    sequence_number: int = 0


ContentEvent = (
    OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | OutputTextDelta
    | OutputTextDone
    | OutputTextAnnotationAdded
    | RefusalDelta
    | RefusalDone
    | ReasoningSummaryPartAdded
    | ReasoningSummaryPartDone
    | ReasoningSummaryTextDelta
    | ReasoningSummaryTextDone
    | ReasoningTextDelta
    | ReasoningTextDone
    | FunctionCallArgumentsDelta
    | FunctionCallArgumentsDone
    | CustomToolCallInputDelta
    | CustomToolCallInputDone
)
