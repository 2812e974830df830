"""What a provider may say while it answers.

A delta is a fact that a dialect read out of an upstream frame, and nothing more. Ids, output
indexes, sequence numbers and the added/done brackets belong to the `Assembler`.

Each delta that writes into an output item has a `key`: the vendor's own name for the block, such
as an index or an id. Only equality matters. The same key in two kinds of delta names two blocks.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from gateway.types.content import Annotation as AnnotationBody
from gateway.types.content import Logprob
from gateway.types.items import OutputItem
from gateway.types.response import Usage

__all__ = [
    "Annotation",
    "CustomCall",
    "Delta",
    "FinishReason",
    "Finished",
    "Hosted",
    "HostedArguments",
    "HostedEnd",
    "Item",
    "Key",
    "Logprobs",
    "Refusal",
    "Text",
    "Thought",
    "ToolCall",
    "Used",
]

Key = str | int

FinishReason = Literal["stop", "max_output_tokens", "content_filter", "max_messages"]
"""Why the model stopped: by itself (tool calls included), at the token limit, by a filter, or
because it has had all the turns that it may take.
"""


class Text(Struct, frozen=True):
    """More of a message's visible text.

    `part` tells its parts apart, if it has several: another number begins another part. `phase` is
    what the vendor says of the whole message, such as "commentary".
    """

    text: str
    key: Key = "text"
    part: int = 0
    phase: str | None = None


class Refusal(Struct, frozen=True):
    """More of a refusal, a content part of its own in the message `key`."""

    text: str
    key: Key = "text"


class Annotation(Struct, frozen=True):
    """A citation in the message `key`; offsets count characters of its text."""

    annotation: AnnotationBody
    key: Key = "text"


class Logprobs(Struct, frozen=True):
    """Log probabilities of the tokens of the `Text` delta that follows for the same key."""

    logprobs: tuple[Logprob, ...]
    key: Key = "text"


class Thought(Struct, frozen=True):
    """More of the model's reasoning.

    `kind` says whether `text` is the raw chain of thought or the provider's summary of it, `part`
    tells the parts of either apart. `carrier` is vendor state that must come back unchanged in the
    next turn; a later carrier replaces an earlier one.
    """

    text: str = ""
    key: Key = "thought"
    kind: Literal["raw", "summary"] = "raw"
    carrier: str | None = None
    part: int = 0


class ToolCall(Struct, frozen=True):
    """A call of a function tool, or more of one: `call_id` and `name` come with its first delta.

    `arguments` is the next piece of the JSON text. A call that begins without a `call_id` is
    given one. `namespace` is that of the tool, if it stands in one.
    """

    key: Key
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""
    namespace: str | None = None


class CustomCall(Struct, frozen=True):
    """A call of a custom tool, or more of one: like `ToolCall`, but its input is free text."""

    key: Key
    call_id: str | None = None
    name: str | None = None
    input: str = ""
    namespace: str | None = None


class Item(Struct, frozen=True):
    """An output item that the provider hands over complete; it passes verbatim, under its own id
    if it has one.
    """

    item: OutputItem


class Hosted(Struct, frozen=True):
    """A tool begins to work, and `item`, which is in progress, tells of it until `HostedEnd`."""

    key: Key
    item: OutputItem


class HostedArguments(Struct, frozen=True):
    """More of the arguments of the `mcp_call`, or of the code of the `code_interpreter_call`, that
    `Hosted` has begun; `complete` after the last piece, which may be empty.
    """

    key: Key
    arguments: str = ""
    complete: bool = False


class HostedEnd(Struct, frozen=True):
    """What `Hosted` has begun is over; `item`, of the same type and name, is how it ended.

    Its ids are of no account, nor are arguments that differ from those that were told. An item with
    an `error` has failed, whatever its status.
    """

    key: Key
    item: OutputItem


class Used(Struct, frozen=True):
    """Token counts so far; a later one replaces an earlier one."""

    usage: Usage


class Finished(Struct, frozen=True):
    """The provider's end marker. A stream that ends without one has failed."""

    reason: FinishReason = "stop"


Delta = (
    Text
    | Refusal
    | Annotation
    | Logprobs
    | Thought
    | ToolCall
    | CustomCall
    | Item
    | Hosted
    | HostedArguments
    | HostedEnd
    | Used
    | Finished
)
