"""From a plain tree to Structs: every problem is found, each with the path of its key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeGuard, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import Struct

from gateway.config.settings import Secret

__all__ = ["REFERENCE", "Node", "Reader", "Words"]

REFERENCE = "os.environ/"
"""A string that starts so names an environment variable, whose value takes its place."""

_FOREIGN = "is a LiteLLM setting that this gateway does not support; remove it"

Kind = TypeVar("Kind", bound=Struct)


class Node(NamedTuple):
    """A value of the tree and where it stands, as in `model_list[0].litellm_params`."""

    value: object
    path: str

    def child(self, key: str, value: object) -> Node:
        return Node(value, f"{self.path}.{key}" if self.path else key)


class Words(NamedTuple):
    """The keys of one mapping: ours, other spellings, and LiteLLM's that mean nothing here."""

    names: frozenset[str]
    aliases: Mapping[str, str] = {}
    foreign: frozenset[str] = frozenset()


class Reader:
    """Reads nodes. What cannot be read is None and adds a line to `problems`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._environment = environment

    def report(self, node: Node, problem: str) -> None:
        self.problems.append(f"{node.path}: {problem}" if node.path else problem)

    def mapping(self, node: Node, words: Words) -> dict[str, Node]:
        """Return the children of `node` by our names; a key without a value is absent."""
        written = node.value
        if not isinstance(written, dict):
            if written is not None:
                self.report(node, f"expected keys and values, got {_describe(written)}")
            return {}
        children: dict[str, Node] = {}
        for key, value in cast("dict[object, object]", written).items():
            child = node.child(str(key), value)
            name = words.aliases.get(str(key), str(key))
            if name not in words.names:
                self._report_unknown(child, str(key), words)
            elif name in children:
                self.report(child, f"says the same as {children[name].path}; keep one of them")
            elif value is not None:
                children[name] = child
        return children

    def sequence(self, node: Node) -> list[Node]:
        """Return the elements of `node`, each with its index in its path."""
        written = node.value
        if not isinstance(written, list):
            self.report(node, f"expected a list, got {_describe(written)}")
            return []
        elements = enumerate(cast("list[object]", written))
        return [Node(value, f"{node.path}[{index}]") for index, value in elements]

    def struct(
        self, kind: type[Kind], node: Node, words: Words | None = None, **given: object
    ) -> Kind | None:
        """Return a `kind` from the mapping `node`, which cannot set the fields that are `given`."""
        fields = msgspec.structs.fields(kind)
        names = frozenset(field.name for field in fields) - given.keys()
        before = len(self.problems)
        children = self.mapping(node, words or Words(names))
        values = dict(given)
        for field in fields:
            if field.name in children:
                values[field.name] = self.value(field.type, children[field.name])
            elif field.required and field.name not in given:
                self.report(node.child(field.name, None), "is missing")
        return kind(**values) if len(self.problems) == before else None

    def value(self, kind: Any, node: Node) -> Any:
        """Return `node` as a `kind`: a Struct, or whatever msgspec converts.

        Of a union, keys and values are its Struct.
        """
        struct = _struct_of(kind)
        if struct is not None and (struct is kind or isinstance(node.value, dict)):
            return self.struct(struct, node)
        before = len(self.problems)
        resolved = self._resolve(node)
        if len(self.problems) > before:
            return None
        choices = _choices(kind)
        if choices and resolved not in choices:
            return self.report(node, f"write one of {', '.join(choices)}")
        # An environment variable is always text, whatever type its place asks for.
        referenced = resolved is not node.value and isinstance(resolved, str)
        decode = partial(_decode, source=str(node.value) if referenced else "")
        try:
            return msgspec.convert(resolved, kind, strict=not referenced, dec_hook=decode)
        except msgspec.ValidationError as error:
            return self._report_invalid(node, kind, str(error))

    def _resolve(self, node: Node) -> object:
        """Return the node's value with every reference to the environment replaced."""
        value = node.value
        if isinstance(value, dict):
            items = cast("dict[object, object]", value).items()
            return {key: self._resolve(node.child(str(key), item)) for key, item in items}
        if isinstance(value, list):
            return [self._resolve(element) for element in self.sequence(node)]
        if not isinstance(value, str) or not value.startswith(REFERENCE):
            return value
        variable = value.removeprefix(REFERENCE)
        if found := self._environment.get(variable):
            return found
        self.report(node, f"the environment variable {variable} is not set, or is empty; export it")
        return None

    def _report_unknown(self, node: Node, key: str, words: Words) -> None:
        if key in words.foreign:
            # Sections such as `litellm_settings`: name each setting in them, not only the section.
            for setting in _settings(node):
                self.report(setting, _FOREIGN)
            return
        self.report(node, f"unknown key; {_suggestion(key, (*words.names, *words.aliases))}")

    def _report_invalid(self, node: Node, kind: Any, message: str) -> None:
        problem, _, place = message.partition(" - at `$")
        for meta in get_args(kind):
            if isinstance(meta, msgspec.Meta) and meta.description:
                problem = f"expected {meta.description}"
        inner = Node(None, node.path + place.removesuffix("`"))
        self.report(inner, problem[:1].lower() + problem[1:].replace("`", ""))


def _struct_of(kind: Any) -> type[Struct] | None:
    """Return the Struct that `kind` is, or that is a member of it."""
    return next((member for member in (kind, *get_args(kind)) if _is_struct(member)), None)


def _choices(kind: Any) -> list[str]:
    """Return the words of the Literal that `kind` is, or that is a member of it."""
    literals = [member for member in (kind, *get_args(kind)) if get_origin(member) is Literal]
    return [choice for literal in literals for choice in get_args(literal)]


def _is_struct(kind: Any) -> TypeGuard[type[Struct]]:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _settings(section: Node) -> list[Node]:
    """Return the settings in `section`, or itself if it holds none."""
    written = section.value
    if not isinstance(written, dict) or not written:
        return [section]
    return [section.child(str(name), None) for name in cast("dict[object, object]", written)]


def _decode(kind: Any, value: object, source: str) -> object:
    if not isinstance(value, str):
        raise TypeError(f"expected str, got {_describe(value)}")
    if kind is Secret:
        return Secret(value, source)
    if kind is Path:
        return Path(value).expanduser()
    raise NotImplementedError(kind)


def _suggestion(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, sorted(known), n=1)
    return f"did you mean `{close[0]}`?" if close else f"known are {', '.join(sorted(known))}"


def _describe(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "keys and values"
        case list():
            return "a list"
        case _:
            return type(value).__name__
