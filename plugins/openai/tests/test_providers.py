"""The rows: names, addresses, environment variables and credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.plugin import ApiKey
from gateway_openai import gateway_providers

ROWS = {provider.name: provider for provider in gateway_providers()}
README = Path(__file__).parents[1] / "README.md"


def key(name: str) -> ApiKey:
    credentials = ROWS[name].credentials
    assert isinstance(credentials, ApiKey)
    return credentials


@pytest.mark.parametrize(
    ("name", "base_url", "base_url_env", "key_env"),
    [
        ("openai", "https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
        ("azure", "", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY"),
        ("azure_entra", "", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_AD_TOKEN"),
        ("xai", "https://api.x.ai/v1", "XAI_API_BASE", "XAI_API_KEY"),
        (
            "openrouter_responses",
            "https://openrouter.ai/api/v1",
            "OPENROUTER_API_BASE",
            "OPENROUTER_API_KEY",
        ),
    ],
)
def test_vendors_are_found_where_their_own_sdks_look(
    name: str, base_url: str, base_url_env: str, key_env: str
) -> None:
    row = ROWS[name]
    assert row.base_url == base_url
    assert row.base_url_env[0] == base_url_env
    assert key(name).env[0] == key_env
    assert key(name).required


def test_every_row_but_azure_sends_a_bearer() -> None:
    sent = {name: (key(name).header, key(name).prefix) for name in ROWS}
    assert sent.pop("azure") == ("api-key", "")
    assert set(sent.values()) == {("authorization", "Bearer ")}


@pytest.mark.parametrize("name", ["vllm_responses", "lmstudio_responses", "openai_responses"])
def test_a_server_of_ones_own_may_have_no_key(name: str) -> None:
    assert not key(name).required


def test_plain_names_of_chat_servers_are_left_to_the_chat_plugin() -> None:
    assert not {"openrouter", "vllm", "lmstudio", "ollama"} & ROWS.keys()


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_in_the_readme(name: str) -> None:
    row = ROWS[name]
    [line] = [line for line in README.read_text().splitlines() if line.startswith(f"| `{name}`")]
    for variable in key(name).env:
        assert f"`{variable}`" in line
    if row.base_url:
        assert f" {row.base_url} " in line
    for operation in row.quirks.get("operations", ()):
        assert operation in line
