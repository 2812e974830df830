"""The tables of docs/compatibility.md say what the plugins' data say.

Run as a program, this module writes the tables anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from gateway.config import ModelEntry, default_config
from gateway.core.engine import Engine
from gateway.core.exchange import Envelope
from gateway.core.principal import Principal
from gateway.errors import GatewayError
from gateway.plugin import ApiKey, Operation, Provider
from gateway.plugin.manager import Plugins
from gateway_chat import support
from gateway_chat.rows import VENDORS
from gateway_chat.support import Support
from gateway_openai.providers import PROVIDERS

DOCUMENT = Path(__file__).parents[2] / "docs" / "compatibility.md"


def outcome(part: Support) -> str:
    if part.action is None:
        words = (
            (support.CHECKED, "by value"),
            (support.BY_THE_CORE, "by the gateway, see above"),
            (support.ECHOED, "repeated in the answer"),
        )
        return next((word for known, word in words if part is known), "honoured")
    verb = "rejected" if part.action == "reject" else "dropped"
    spare = (
        f" (not {' or '.join(f'`{value}`' for value in part.harmless)})" if part.harmless else ""
    )
    return f"{verb}{spare}: {part.reason}"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def by_outcome(parts: Mapping[str, Support], other: Support | None = None) -> str:
    """Return the table of `parts`, those with one outcome in one row."""
    names: dict[str, list[str]] = {}
    for name, part in parts.items():
        names.setdefault(outcome(part), []).append(f"`{name}`")
    if other:
        names.setdefault(outcome(other), []).append("anything else")
    order = sorted(names, key=lambda word: word.startswith(("dropped", "rejected")))
    return table(
        ("what becomes of it", "which"), ((word, ", ".join(names[word])) for word in order)
    )


def variables(provider: Provider) -> str:
    credentials = provider.credentials
    if not isinstance(credentials, ApiKey):
        return "none"
    names = " or ".join(f"`{name}`" for name in credentials.env)
    return f"{names}{'' if credentials.required else ', or none'}" if names else "optional"


def native_providers() -> Iterator[tuple[str, ...]]:
    every = get_args(Operation)
    for provider in PROVIDERS:
        offered = provider.quirks.get("operations", every)
        words = "all" if set(offered) == set(every) else ", ".join(f"`{name}`" for name in offered)
        yield f"`{provider.name}`", words, variables(provider)


def chat_providers() -> Iterator[tuple[str, ...]]:
    for provider in VENDORS:
        yield f"`{provider.name}`", provider.base_url or "must be configured", variables(provider)


TABLES = {
    "native providers": table(("provider", "operations", "key"), native_providers()),
    "parameters": by_outcome(support.PARAMETERS),
    "items": by_outcome(support.ITEMS, support.UNKNOWN_ITEM),
    "tools": by_outcome(support.TOOLS, support.UNKNOWN_TOOL),
    "includes": by_outcome(support.INCLUDES, support.UNKNOWN_INCLUDE),
    "chat providers": table(("provider", "address", "key"), chat_providers()),
}


def section(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- begin: {name} -->\n).*?(?=<!-- end: {name} -->)", re.DOTALL)


def write() -> None:
    text = DOCUMENT.read_text()
    for name, rows in TABLES.items():
        text = section(name).sub(lambda _, rows=rows: f"\n{rows}\n", text)
    DOCUMENT.write_text(text)


async def answer(operation: Operation, directory: Path) -> GatewayError:
    """Return the error that `operation` meets where the only model is a chat upstream's."""
    entry = ModelEntry(name="m", model="openai_compatible/m", base_url="http://127.0.0.1:9")
    config = replace(default_config({"GATEWAY_HOME": str(directory)}), models=(entry,))
    envelope = Envelope(
        operation=operation,
        request_id="test",
        body=b'{"model": "m", "input": "x", "store": true}',
        response_id="resp_made_by_the_gateway",
    )
    async with Engine(config, Plugins()) as engine:
        with pytest.raises(GatewayError) as raised:
            await engine.respond(envelope, Principal())
    return raised.value


@pytest.mark.parametrize("operation", get_args(Operation))
async def test_a_chat_upstream_keeps_nothing_and_compacts_nothing(
    operation: Operation, tmp_path: Path
) -> None:
    error = await answer(operation, tmp_path)
    stored = operation in {"retrieve", "delete", "cancel", "input_items"}
    assert error.status == (404 if stored else 400)
    if operation == "create":
        assert error.param == "store"


@pytest.mark.parametrize("name", TABLES)
def test_the_table_says_what_the_data_say(name: str) -> None:
    (written,) = section(name).findall(DOCUMENT.read_text())
    assert written == f"\n{TABLES[name]}\n"


def test_no_other_table_claims_to_be_generated() -> None:
    assert set(re.findall(r"<!-- begin: (.*?) -->", DOCUMENT.read_text())) == set(TABLES)


if __name__ == "__main__":
    write()
