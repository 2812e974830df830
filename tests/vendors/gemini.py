"""What the types of Google's own SDK say of the bodies that we send."""

import re
from typing import Any

from google.genai import interactions, types
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel
from typing_extensions import is_typeddict

__all__ = ["check_content", "check_count", "check_interaction"]

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")


class Strict(BaseModel):
    """A body, of which google-genai has types for all the members."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Content(Strict):
    """The body of generateContent."""

    contents: list[types.Content]
    system_instruction: types.Content | None = None
    tools: list[types.Tool] | None = None
    tool_config: types.ToolConfig | None = None
    generation_config: types.GenerationConfig | None = None
    safety_settings: list[types.SafetySetting] | None = None
    service_tier: types.ServiceTier | None = None


class NamedContent(Content):
    """The same within a body that asks for the number of its tokens."""

    model: str


class Count(Strict):
    """The body of countTokens at Google AI."""

    generate_content_request: NamedContent


class VertexCount(Strict):
    """The body of countTokens at Vertex AI: `contents`, and what `types.CountTokensConfig` has."""

    contents: list[types.Content]
    system_instruction: types.Content | None = None
    tools: list[types.Tool] | None = None
    generation_config: types.GenerationConfig | None = None


def interaction() -> TypeAdapter[Any]:
    """Return what knows interactions, and nothing besides; else the types allow anything more."""
    for kind in vars(interactions).values():
        if is_typeddict(kind):
            extra = "forbid" if kind.__annotations__ else "allow"
            kind.__pydantic_config__ = ConfigDict(extra=extra, arbitrary_types_allowed=True)
    return TypeAdapter(interactions.CreateModelInteractionParam)


INTERACTION = interaction()


def check_content(body: Any) -> None:
    """Raise `ValueError` if `body` is none of generateContent."""
    Content.model_validate(body)
    refuse_broken_rules(body)


def check_count(body: Any) -> None:
    """Raise `ValueError` if `body` is none that asks for the number of tokens, at Google AI or at
    Vertex AI.
    """
    counted = body.get("generateContentRequest")
    (VertexCount if counted is None else Count).model_validate(body)
    refuse_broken_rules(counted or body)


def check_interaction(body: Any) -> None:
    """Raise `ValueError` if `body` is none of an interaction."""
    INTERACTION.validate_python(body)
    functions = [tool for tool in body.get("tools", ()) if tool["type"] == "function"]
    refuse(broken_names(functions))


def refuse_broken_rules(body: dict[str, Any]) -> None:
    """Raise `ValueError` if `body` breaks rules for turns and tools, which no type can say."""
    contents, broken = body["contents"], list[str]()
    if not contents or contents[0]["role"] != "user":
        broken.append("the user speaks first")
    for content, after in zip(contents, [*contents[1:], {"parts": []}], strict=True):
        if called(content, "functionCall") != called(after, "functionResponse"):
            broken.append("the results of all calls are the next content")
        if {"functionResponse"} < {kind for part in content["parts"] for kind in part}:
            broken.append("results stand on their own")
        if not content["parts"]:
            broken.append("a content has a part")
        if any(part == {"text": ""} for part in content["parts"]):
            broken.append("a text has a letter or a signature")
    tools = body.get("tools", ())
    declared = [one for tool in tools for one in tool.get("functionDeclarations", ())]
    if "functionCallingConfig" in body.get("toolConfig", {}) and not declared:
        broken.append("only who has functions can be told how to call them")
    refuse(broken + broken_names(declared))


def broken_names(functions: list[dict[str, Any]]) -> list[str]:
    """Return a complaint for each of `functions` whose name Google does not take."""
    names = [function["name"] for function in functions]
    return [f"{name!r} is no name" for name in names if not NAME.fullmatch(name)]


def refuse(complaints: list[str]) -> None:
    if complaints:
        raise ValueError("\n".join(complaints))


def called(content: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    """Return the id and name of each call, or of each result, in `content`."""
    found = [part[kind] for part in content["parts"] if kind in part]
    return [(one["id"], one["name"]) for one in found]
