"""The tables in the documents say what the plugins' data say, and nothing is left out of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from gateway.config import ModelEntry, default_config
from gateway.core.engine import Engine
from gateway.core.exchange import Envelope, Whole
from gateway.core.principal import Principal
from gateway.errors import GatewayError
from gateway.plugin import Operation
from gateway.plugin.manager import Plugins

from .tables import DOCUMENTS, PAGES, PROVIDERS, chosen, dialects, made, names, quirks_of, section

TABLES = [
    pytest.param(document, name, id=f"{document.stem}-{name}")
    for document in DOCUMENTS
    for name in names(document)
]


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


@pytest.mark.parametrize(("document", "name"), TABLES)
def test_the_table_says_what_the_data_say(document: Path, name: str) -> None:
    (written,) = section(name).findall(document.read_text())
    assert written == made(name)


def every_name() -> set[str]:
    return {name for document in DOCUMENTS for name in names(document)}


def test_each_dialect_has_a_page() -> None:
    shown = (name.split()[:2] for name in every_name())
    assert {*dialects()} == {of for kind, of in shown if kind in ("support", "deviations")}


def test_each_provider_is_on_a_page() -> None:
    lists = [name.split()[1:] for name in every_name() if name.startswith("providers ")]
    assert {one.name for words in lists for one in chosen(*words)} == {*PROVIDERS}


def test_each_setting_is_on_a_page() -> None:
    shown = [name.split()[1] for name in every_name() if name.startswith("settings ")]
    wanted = {word for provider in PROVIDERS.values() for word in provider.settings}
    assert wanted == {word for name in shown for word in PROVIDERS[name].settings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_quirk_is_on_the_page(page: Path) -> None:
    wanted = quirks_of(f"gateway_{page.stem}").__struct_fields__
    named = set(re.findall(r"^\| `(\w+)` \|", page.read_text(), re.MULTILINE))
    assert {*wanted} <= named
