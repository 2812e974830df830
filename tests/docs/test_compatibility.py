"""The tables of docs/compatibility.md say what the plugins' data say.

Run as a program, this module writes the tables anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import replace

from gateway.config import ModelEntry, default_config
from gateway.core.engine import Engine
from gateway.core.exchange import Envelope, Whole
from gateway.core.principal import Principal
from gateway.errors import GatewayError
from gateway.plugin import ApiKey, Deployment, Dialect, NativeDialect, Operation, Provider, Support
from gateway.plugin.dialect import native
from gateway.plugin.manager import Plugins
from gateway.types.request import decode_request

DOCUMENT = Path(__file__).parents[2] / "docs" / "compatibility.md"

OUTCOMES = {
    "accept": "honoured",
    "value": "by value",
    "emulate": "emulated",
    "drop": "dropped",
    "reject": "rejected",
}


def outcome(part: Support) -> str:
    values = " or ".join(f"`{value}`" for value in part.harmless)
    spare = f" (not {values})" if values else ""
    reason = f": {part.reason}" if part.reason else ""
    return f"{OUTCOMES[part.action]}{spare}{reason}"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


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


def variables(provider: Provider) -> str:
    credentials = provider.credentials
    if not isinstance(credentials, ApiKey):
        return "none"
    names = " or ".join(f"`{name}`" for name in credentials.env)
    return f"{names}{'' if credentials.required else ', or none'}" if names else "optional"


def native_providers(providers: Iterable[Provider]) -> Iterator[tuple[str, ...]]:
    every = get_args(Operation)
    for provider in providers:
        offered = provider.quirks.get("operations", every)
        words = "all" if set(offered) == set(every) else ", ".join(f"`{name}`" for name in offered)
        yield f"`{provider.name}`", words, variables(provider)


def addresses(providers: Iterable[Provider]) -> Iterator[tuple[str, ...]]:
    for provider in providers:
        configured = "its own process" if provider.launch else "must be configured"
        yield f"`{provider.name}`", provider.base_url or configured, variables(provider)


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


def verdict(dialect: Dialect, provider: Provider, probe: dict[str, Any]) -> str:
    request = decode_request(msgspec.json.encode({"model": "m", "input": "x", **probe}))
    deployment = Deployment(
        alias="m", provider=provider.name, model="m", account="a", quirks=provider.quirks
    )
    actions = {found.action for found in dialect.check(request, deployment)}
    order = ("reject", "drop", "emulate")
    return next((action for action in order if action in actions), "yes")


def capabilities(dialect: Dialect, providers: Iterable[Provider]) -> str:
    """Return the table of what becomes of each probe; most providers are `the others`."""
    rows: list[tuple[str, ...]] = []
    for name, probe in PROBES.items():
        found: dict[str, list[str]] = {}
        for provider in providers:
            found.setdefault(verdict(dialect, provider, probe), []).append(f"`{provider.name}`")
        usual = max(found, key=lambda action: len(found[action]))
        cells = (
            "the others" if action == usual and len(found) > 1 else ", ".join(found.get(action, []))
            for action in ("yes", "emulate", "drop", "reject")
        )
        rows.append((name, *("all" if len(found) == 1 and cell else cell for cell in cells)))
    return table(("", "honoured", "emulated", "dropped", "rejected"), rows)


def of_dialect(dialect: Dialect, providers: tuple[Provider, ...]) -> str:
    support = dialect.support
    sections = {
        "Parameters": by_outcome(support.parameters),
        "Members of parameters and tools": by_outcome(support.details),
        "Input items": by_outcome(support.items, support.other_item),
        "Tools": by_outcome(support.tools, support.other_tool),
        "`include`": by_outcome(support.includes, support.other_include),
        "What differs between providers": capabilities(dialect, providers),
        "Providers": table(("provider", "address", "key"), addresses(providers)),
    }
    text = "".join(f"\n#### {title}\n\n{rows}" for title, rows in sections.items())
    return f"### Dialect `{dialect.name}`\n{text}"


def translated(providers: Iterable[Provider]) -> Iterator[str]:
    """Yield the text for each dialect that translates, with the providers that speak it."""
    speakers: dict[str, list[Provider]] = {}
    dialects: dict[str, Dialect] = {}
    for provider in providers:
        dialect = resolved(provider)
        if not native(dialect):
            dialects[dialect.name] = dialect
            speakers.setdefault(dialect.name, []).append(provider)
    for name, dialect in sorted(dialects.items()):
        yield of_dialect(dialect, tuple(speakers[name]))


def resolved(provider: Provider) -> Dialect | NativeDialect:
    assert not isinstance(provider.dialect, str)
    return provider.dialect


PROVIDERS = tuple(Plugins().providers().values())
TABLES = {
    "native providers": table(
        ("provider", "operations", "key"),
        native_providers(provider for provider in PROVIDERS if native(resolved(provider))),
    ),
    "dialects": "\n".join(translated(PROVIDERS)),
}


def section(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- begin: {name} -->\n).*?(?=<!-- end: {name} -->)", re.DOTALL)


def write() -> None:
    text = DOCUMENT.read_text()
    for name, rows in TABLES.items():
        text = section(name).sub(lambda _, rows=rows: f"\n{rows}\n", text)
    DOCUMENT.write_text(text)


async def status(operation: Operation, directory: Path) -> int:
    """Return the status of the answer to `operation` where the only model is that of a chat
    upstream, which nobody can reach.
    """
    entry = ModelEntry(name="m", model="openai_compatible/m", base_url="http://127.0.0.1:9")
    config = replace(default_config({"GATEWAY_HOME": str(directory)}), models=(entry,))
    envelope = Envelope(
        operation=operation,
        request_id="test",
        body=b'{"model": "m", "input": "x"}',
        response_id="resp_made_by_the_gateway",
    )
    async with Engine(config, Plugins()) as engine:
        try:
            reply = await engine.respond(envelope, Principal())
        except GatewayError as error:
            return error.status
    assert isinstance(reply, Whole)
    return reply.status


@pytest.mark.parametrize("operation", get_args(Operation))
async def test_a_chat_upstream_is_asked_for_answers_and_summaries_alone(
    operation: Operation, tmp_path: Path
) -> None:
    made = {"create": 502, "compact": 502, "input_tokens": 200}
    assert await status(operation, tmp_path) == made.get(operation, 404)


@pytest.mark.parametrize("name", TABLES)
def test_the_table_says_what_the_data_say(name: str) -> None:
    (written,) = section(name).findall(DOCUMENT.read_text())
    assert written == f"\n{TABLES[name]}\n"


def test_no_other_table_claims_to_be_generated() -> None:
    assert set(re.findall(r"<!-- begin: (.*?) -->", DOCUMENT.read_text())) == set(TABLES)


if __name__ == "__main__":
    write()
