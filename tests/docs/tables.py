"""The tables in the documents that say what the plugins' data say.

A table stands in a document between two comments, the first of which names it:

    <!-- begin: support chat -->
    <!-- end: support chat -->

The first word says what kind of table it is (`KINDS`), the others of what. Run as a program, this
module writes all of them anew.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from gateway.plugin import Deployment, Dialect, Granted, NativeDialect, Operation
from gateway.plugin.dialect import native
from gateway.plugin.manager import Plugins
from gateway.plugin.provider import Provider, Setting, key_of
from gateway.plugin.support import Support, Verdict
from gateway.types.request import decode_request

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")))
PAGES = sorted(ROOT.glob("docs/providers/*.md"))
PROVIDERS = Plugins().providers()

OUTCOMES = {
    "accept": "honoured",
    "value": "by value",
    "emulate": "emulated",
    "drop": "dropped",
    "reject": "rejected",
}

HARDSHIPS = ("reject", "drop", "emulate")

Row = tuple[str, ...]


def table(head: Row, rows: Iterable[Row]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def quoted(names: Iterable[str], between: str = ", ") -> str:
    return between.join(f"`{name}`" for name in names)


# What a dialect can express


def outcome(part: Support) -> str:
    harmless = (one if isinstance(one, str) else json_of(one) for one in part.harmless)
    spare = f" (not {quoted(harmless, ' or ')})" if part.harmless else ""
    reason = f": {part.reason}" if part.reason else ""
    return f"{OUTCOMES[part.action]}{spare}{reason}"


def by_outcome(parts: Mapping[str, Support], other: Support | None = None) -> str:
    """Return the table of `parts`, those with one outcome in one row."""
    names: dict[str, list[str]] = {}
    for action in OUTCOMES:
        for name, part in parts.items():
            if part.action == action:
                names.setdefault(outcome(part), []).append(f"`{name}`")
        if other and other.action == action:
            names.setdefault(outcome(other), []).append("anything else")
    return table(
        ("what becomes of it", "which"), ((word, ", ".join(names[word])) for word in names)
    )


def support(name: str) -> str:
    """Return the tables of the dialect `name`."""
    found = dialects()[name].support
    sections = {
        "Parameters": by_outcome(found.parameters),
        "Members of parameters and tools": by_outcome(found.details),
        "Input items": by_outcome(found.items, found.other_item),
        "Tools": by_outcome(found.tools, found.other_tool),
        "`include`": by_outcome(found.includes, found.other_include),
    }
    return "\n".join(f"### {title}\n\n{rows}" for title, rows in sections.items())


def deviations(name: str, other: str) -> str:
    """Return in what the dialect `name` differs from the `other`."""
    found, usual = dialects()[name].support, dialects()[other].support
    return table(
        ("what", "which", "what becomes of it"),
        (
            (title, f"`{word}`", outcome(part))
            for title, parts, others in (
                ("parameter", found.parameters, usual.parameters),
                ("member", found.details, usual.details),
                ("item", found.items, usual.items),
                ("tool", found.tools, usual.tools),
                ("`include`", found.includes, usual.includes),
            )
            for word, part in parts.items()
            if part != others.get(word)
        ),
    )


def dialects() -> dict[str, Dialect]:
    """Return the dialects that translate, by name."""
    spoken = (resolved(provider) for provider in PROVIDERS.values())
    return {dialect.name: dialect for dialect in spoken if not native(dialect)}


def resolved(provider: Provider) -> Dialect | NativeDialect:
    assert not isinstance(provider.dialect, str)
    return provider.dialect


# What depends on the value


def user(part: dict[str, Any]) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [part]}]}


FUNCTION = {"type": "function", "name": "f", "parameters": {}}
PROBES: Mapping[str, dict[str, Any]] = {
    "functions": {"tools": [FUNCTION]},
    "`strict`": {"tools": [{**FUNCTION, "strict": True}]},
    "`required`": {"tools": [FUNCTION], "tool_choice": "required"},
    "a named function": {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "f"}},
    "one call at a time": {"tools": [FUNCTION], "parallel_tool_calls": False},
    "custom tools": {"tools": [{"type": "custom", "name": "c"}]},
    "`web_search`": {"tools": [{"type": "web_search"}]},
    "`json_object`": {"text": {"format": {"type": "json_object"}}},
    "`json_schema`": {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}}}},
    "effort": {"reasoning": {"effort": "low"}},
    "log probabilities": {"top_logprobs": 1},
    "images": user({"type": "input_image", "image_url": "data:image/png;base64,AA"}),
    "image URLs": user({"type": "input_image", "image_url": "https://example.org/a.png"}),
    "files": user({"type": "input_file", "file_data": "data:application/pdf;base64,AA"}),
    "file URLs": user({"type": "input_file", "file_url": "https://example.org/a.pdf"}),
    "file ids": user({"type": "input_file", "file_id": "file-1"}),
    "audio": user({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}),
    "`verbosity`": {"text": {"verbosity": "low"}},
    "`user`": {"user": "u"},
    "`service_tier`": {"service_tier": "flex"},
    "`prompt_cache_key`": {"prompt_cache_key": "k"},
}


MORE_PROBES: Mapping[str, dict[str, Any]] = {
    "`allowed_domains` of a search": {
        "tools": [{"type": "web_search", "filters": {"allowed_domains": ["example.org"]}}]
    },
    "`code_interpreter`": {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
    "`computer`": {"tools": [{"type": "computer"}]},
    "`temperature`": {"temperature": 0.5},
    "effort `none`": {"reasoning": {"effort": "none"}},
    "effort `max`": {"reasoning": {"effort": "max"}},
    "a summary of the reasoning": {"reasoning": {"effort": "low", "summary": "auto"}},
    "`max_tool_calls`": {"tools": [{"type": "web_search"}], "max_tool_calls": 1},
}


def verdicts(provider: Provider, model: str, probe: dict[str, Any]) -> Iterable[Verdict]:
    """Return what `provider` says of a request that holds little more than `probe`."""
    dialect = resolved(provider)
    assert not native(dialect)
    request = decode_request(msgspec.json.encode({"model": "m", "input": "x", **probe}))
    deployment = Deployment(
        alias="m", provider=provider.name, model=model, account="a", quirks=provider.quirks
    )
    return dialect.check(request, deployment)


def differences(*words: str) -> str:
    """Return what becomes of each probe at some providers; most of them are `the others`."""
    rows: list[Row] = []
    for name, probe in PROBES.items():
        found: dict[str, list[str]] = {}
        for provider in chosen(*words):
            actions = {verdict.action for verdict in verdicts(provider, "m", probe)}
            worst = next((action for action in HARDSHIPS if action in actions), "yes")
            found.setdefault(worst, []).append(f"`{provider.name}`")
        usual = max(found, key=lambda action: len(found[action]))
        cells = (
            "the others" if action == usual and len(found) > 1 else ", ".join(found.get(action, []))
            for action in ("yes", "emulate", "drop", "reject")
        )
        rows.append((name, *("all" if len(found) == 1 and cell else cell for cell in cells)))
    return table(("", "honoured", "emulated", "dropped", "rejected"), rows)


def probed(*words: str) -> str:
    """Return what becomes of each probe with some models, named `provider/model`."""
    rows: list[Row] = []
    for name, probe in {**PROBES, **MORE_PROBES}.items():
        cells: list[str] = []
        for word in words:
            provider, _, model = word.partition("/")
            found = verdicts(PROVIDERS[provider], model, probe)
            cells.append("; ".join(dict.fromkeys(map(fate, found))) or "honoured")
        rows.append((name, *cells))
    return table(("", *(f"`{word}`" for word in words)), rows)


def fate(verdict: Verdict) -> str:
    return f"{OUTCOMES[verdict.action]}: {verdict.reason}"


# Providers, and what an operator may say of them


def chosen(*words: str) -> Iterator[Provider]:
    """Yield the providers with these names; after `of`, those that speak these dialects."""
    if words[0] != "of":
        return (PROVIDERS[name] for name in words)
    return (found for found in PROVIDERS.values() if resolved(found).name in words[1:])


def key(provider: Provider) -> str:
    """Return which variables hold the key of `provider`, or what else lets it in."""
    found = key_of(provider)
    if found is None:
        return "none"
    names = [quoted(found.env, " or ")] if found.env else []
    if isinstance(provider.credentials, Granted):
        return ", or ".join([*names, "the credentials that are found"])
    if found.required or not names:
        return names[0] if names else "optional"
    return f"{names[0]}, or none"


def address(provider: Provider) -> str:
    if callable(provider.base_url):
        return "from the settings"
    return provider.base_url or ("its own process" if provider.launch else "must be configured")


def providers(*words: str) -> str:
    """Return where providers are, and which variables say something else, or hold the key."""
    return table(
        ("provider", "address", "another address from", "key"),
        (
            (f"`{one.name}`", address(one), quoted(one.base_url_env, " or "), key(one))
            for one in chosen(*words)
        ),
    )


def operations(*words: str) -> str:
    """Return which operations native providers have."""
    every = get_args(Operation)
    offered = (
        (f"`{one.name}`", one.quirks.get("operations", every), key(one)) for one in chosen(*words)
    )
    return table(
        ("provider", "operations", "key"),
        (
            (name, "all" if set(some) == set(every) else quoted(some), variables)
            for name, some, variables in offered
        ),
    )


def settings(name: str) -> str:
    """Return what an operator may say of deployments of the provider `name`."""
    return table(
        ("setting", "from the environment", "otherwise"),
        (
            (f"`{word}`{', a secret' if one.secret else ''}", quoted(one.env, " or "), absent(one))
            for word, one in PROVIDERS[name].settings.items()
        ),
    )


def absent(setting: Setting) -> str:
    return f"`{setting.default}`" if setting.default else ""


def quirks_of(package: str) -> type[Struct]:
    return importlib.import_module(f"{package}.quirks").Quirks


def quirks(package: str) -> str:
    """Return what may differ between deployments, from the `Quirks` of a plugin."""
    struct = quirks_of(package)
    meanings = documented(struct)
    return table(
        ("quirk", "values", "default", "what it says"),
        (
            (f"`{field.name}`", allowed(field.type), default(field), meanings.get(field.name, ""))
            for field in msgspec.structs.fields(struct)
        ),
    )


WORDS = {bool: "`true`, `false`", int: "a number", str: "text"}


def allowed(kind: Any) -> str:
    """Return in words what may stand in a field of this `kind`."""
    if word := WORDS.get(kind):
        return word
    match get_origin(kind):
        case typing.Literal:
            return quoted(get_args(kind))
        case builtins.tuple:
            return f"a list: {allowed(get_args(kind)[0])}"
        case _:
            return "a mapping"


def default(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not NODEFAULT:
        return f"`{json_of(field.default_factory())}`"
    return "by the model" if field.default is NODEFAULT else f"`{json_of(field.default)}`"


def json_of(value: object) -> str:
    return msgspec.json.encode(value).decode()


def documented(struct: type[Struct]) -> dict[str, str]:
    """Return the text below each field."""
    (definition,) = ast.parse(inspect.getsource(struct)).body
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(meaning))),
            ):
                found[name] = " ".join(meaning.split()).replace("|", "\\|")
            case _:
                pass
    return found


# What the contract has for dialects besides


CORES_OWN = ("hookspecs", "manager")


def helpers(package: str) -> str:
    """Return the modules of `package` that are for dialects, and not the contract itself."""
    contract = importlib.import_module(package)
    names = [info.name for info in pkgutil.iter_modules(contract.__path__)]
    modules = [
        importlib.import_module(f"{package}.{name}") for name in names if name not in CORES_OWN
    ]
    return table(
        ("module", "what it is for", "names"),
        (
            (f"`{one.__name__}`", purpose(one), quoted(one.__all__))
            for one in modules
            if {*contract.__all__}.isdisjoint(one.__all__)
        ),
    )


def purpose(module: ModuleType) -> str:
    """Return the first paragraph of what `module` says of itself."""
    return " ".join((module.__doc__ or "").partition("\n\n")[0].split())


KINDS: Mapping[str, Callable[..., str]] = {
    kind.__name__: kind
    for kind in (
        support,
        deviations,
        differences,
        probed,
        providers,
        operations,
        settings,
        quirks,
        helpers,
    )
}


def section(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- begin: {name} -->\n).*?(?=<!-- end: {name} -->)", re.DOTALL)


def names(document: Path) -> list[str]:
    """Return the names of the tables in `document`."""
    return re.findall(r"<!-- begin: (.*?) -->", document.read_text())


def made(name: str) -> str:
    """Return what belongs between the comments of the table `name`."""
    kind, *words = name.split()
    return f"\n{KINDS[kind](*words)}\n"


def write() -> None:
    for document in DOCUMENTS:
        text = document.read_text()
        for name in names(document):
            text = section(name).sub(lambda _, name=name: made(name), text)
        document.write_text(text)


if __name__ == "__main__":
    write()
