"""Parameters that a request sends and its response echoes."""

from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct

from gateway.types.open import Unknown, open_union
from gateway.types.tools import TextFormat
from gateway.types.wire import JsonObject, Omittable, Tagged

__all__ = [
    "AnswerFormat",
    "ConversationReference",
    "JsonObjectFormat",
    "JsonSchemaFormat",
    "Prompt",
    "ReasoningConfig",
    "TextConfig",
]


class ReasoningConfig(Struct, frozen=True, kw_only=True):
    """How hard to think and how much of it to show; `effort` and `summary` are always sent."""

    effort: str | None = None
    summary: str | None = None
    generate_summary: Omittable[str] = UNSET
    context: Omittable[str] = UNSET
    mode: Omittable[str] = UNSET


class JsonSchemaFormat(Tagged, Struct, frozen=True, kw_only=True, tag="json_schema"):
    """An answer that follows a JSON Schema."""

    name: str
    schema: JsonObject
    description: Omittable[str] = UNSET
    strict: Omittable[bool] = UNSET


class JsonObjectFormat(Tagged, Struct, frozen=True, kw_only=True, tag="json_object"):
    """An answer that is some JSON object."""


if TYPE_CHECKING:
    AnswerFormat = TextFormat | JsonSchemaFormat | JsonObjectFormat | Unknown
else:
    AnswerFormat = open_union("AnswerFormat", TextFormat, JsonSchemaFormat, JsonObjectFormat)


class TextConfig(Struct, frozen=True, kw_only=True):
    """The shape of the answer's text."""

    format: AnswerFormat | None = TextFormat()
    verbosity: Omittable[str] = UNSET


class Prompt(Struct, frozen=True, kw_only=True):
    """A prompt template that OpenAI holds; variables are strings or input parts."""

    id: str
    version: Omittable[str] = UNSET
    variables: Omittable[dict[str, Any]] = UNSET


class ConversationReference(Struct, frozen=True, kw_only=True):
    id: str
