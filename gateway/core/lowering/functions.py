"""Functions: how a tool that the upstream does not know is described to the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import msgspec
from msgspec import UNSET

from gateway.core.lowering.offers import Offer
from gateway.errors import InvalidRequestError
from gateway.types.tools import CustomTool, FunctionTool, GrammarFormat, ShellTool, ToolSearchTool
from gateway.types.wire import JsonObject

__all__ = ["custom_function", "machine_function", "namespaced", "search_function"]

_STRING: JsonObject = {"type": "string"}
_STRINGS: JsonObject = {"type": "array", "items": _STRING}
_INTEGER: JsonObject = {"type": "integer"}


def _object(required: Iterable[str], **properties: JsonObject) -> JsonObject:
    return {"type": "object", "properties": properties, "required": list(required)}


_FUNCTIONS = {
    "shell": FunctionTool(
        name="shell",
        description="Runs shell commands on the user's machine and returns what each of them"
        " prints, and how it ended.",
        parameters=_object(
            ["commands"],
            commands={**_STRINGS, "description": "Commands to run, each a line for the shell."},
            timeout_ms={**_INTEGER, "description": "How long each command may run."},
            max_output_length={**_INTEGER, "description": "How many characters to return of each."},
        ),
    ),
    "local_shell": FunctionTool(
        name="local_shell",
        description="Runs one program on the user's machine and returns what it prints.",
        parameters=_object(
            ["command"],
            command={**_STRINGS, "description": "The program, then its arguments."},
            env={
                "type": "object",
                "additionalProperties": _STRING,
                "description": "Environment variables to add.",
            },
            working_directory={**_STRING, "description": "The directory to run it in."},
            timeout_ms={**_INTEGER, "description": "How long it may run."},
            user={**_STRING, "description": "The user to run it as."},
        ),
    ),
    "apply_patch": FunctionTool(
        name="apply_patch",
        description="Creates, changes or deletes one file.",
        parameters=_object(
            ["type", "path"],
            type={**_STRING, "enum": ["create_file", "update_file", "delete_file"]},
            path={**_STRING, "description": "The path of the file."},
            diff={
                **_STRING,
                "description": "Not for delete_file. For create_file: the whole content, with + in"
                " front of each line. For update_file: one or more hunks; a hunk begins with a line"
                " @@, which may go on with the class or function it is in, then come the lines of"
                " the file: space in front of those that stay, - in front of those that go, + in"
                " front of those that come.",
            },
        ),
    ),
}

_SEARCH = "Searches for tools. Those that it finds can be called afterwards."
_QUERY = _object(["query"], query={**_STRING, "description": "What the tool is needed for."})


def custom_function(tool: CustomTool, name: str) -> FunctionTool:
    """Return the function whose one argument `input` is the text that the custom tool takes."""
    text = {**_STRING, "description": "The input of the tool, as plain text."}
    if isinstance(tool.format, GrammarFormat):
        text["description"] = (
            f"Text that follows this {tool.format.syntax} grammar:\n{tool.format.definition}"
        )
    parameters = _object(["input"], input=text)
    return FunctionTool(name=name, description=tool.description or None, parameters=parameters)


def namespaced(tool: FunctionTool | CustomTool, name: str, about: str) -> FunctionTool | CustomTool:
    """Return a member of a namespace under its flat name; `about` is added to its description."""
    description = "\n\n".join(filter(None, (tool.description or "", about))) or None
    return msgspec.structs.replace(tool, name=name, description=description, defer_loading=UNSET)


def machine_function(offer: Offer) -> FunctionTool:
    """Return the function for a tool that works on the client's machine.

    Raises `InvalidRequestError` for a shell in a container, which only OpenAI has.
    """
    function = _FUNCTIONS[offer.tool.type]
    if not isinstance(offer.tool, ShellTool) or not offer.tool.environment:
        return function
    environment = offer.tool.environment
    if environment.get("type") != "local":
        raise InvalidRequestError(
            f"the gateway has no shell of type {environment.get('type')!r}, use a local one",
            code="unsupported_parameter",
            param=f"{offer.path}.environment.type",
        )
    skills = "".join(map(_skill, _objects(environment.get("skills"))))
    if not skills:
        return function
    description = f"{function.description}\n\nThe user's machine has instructions for:{skills}"
    return msgspec.structs.replace(function, description=description)


def search_function(offer: Offer, hidden: Iterable[Offer]) -> FunctionTool:
    """Return the function that searches for the `hidden` tools.

    Raises `InvalidRequestError` if the server is to search.
    """
    tool = cast("ToolSearchTool", offer.tool)
    if tool.execution != "client":
        raise InvalidRequestError(
            "the gateway does not search for tools of this model, set execution to 'client' and"
            " answer the searches, or leave the tool out",
            code="unsupported_parameter",
            param=f"{offer.path}.execution",
        )
    description = tool.description or _SEARCH
    if names := "".join(_hidden(hidden)):
        description += f"\n\nThese can be found:{names}"
    parameters: Any = tool.parameters
    return FunctionTool(
        name=offer.name or offer.tool.type,
        description=description,
        parameters=cast("JsonObject", parameters) if isinstance(parameters, dict) else _QUERY,
    )


def _hidden(offers: Iterable[Offer]) -> Iterable[str]:
    """Yield a line for each function, and one for each namespace."""
    members: dict[str, list[str]] = {}
    for offer in offers:
        space = offer.namespace
        description = space.description if space else getattr(offer.tool, "description", "")
        line = f"\n- {space.name if space else offer.name}"
        members.setdefault(f"{line}: {description}" if description else line, []).extend(
            [offer.origin.name] if space else []
        )
    for line, names in members.items():
        yield f"{line} ({', '.join(names)})" if names else line


def _objects(value: Any) -> Iterable[JsonObject]:
    found = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("JsonObject", one) for one in found if isinstance(one, dict)]


def _skill(skill: JsonObject) -> str:
    return f"\n- {skill.get('name')}: {skill.get('description')} (in {skill.get('path')})"
