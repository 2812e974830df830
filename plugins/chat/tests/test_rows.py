"""The table of vendors and servers."""

import pytest

from gateway.plugin import ApiKey, Deployment, Provider
from gateway.plugin.manager import Plugins
from gateway_chat import VENDORS, ChatDialect
from gateway_chat.quirks import read_quirks

every_row = pytest.mark.parametrize("row", VENDORS, ids=lambda row: row.name)


@every_row
def test_a_row_has_quirks_that_exist(row: Provider) -> None:
    read_quirks(Deployment(alias="a", provider=row.name, model="m", account="x", quirks=row.quirks))


@every_row
def test_a_row_says_where_and_with_which_key(row: Provider) -> None:
    assert isinstance(row.dialect, ChatDialect)
    assert row.base_url.startswith(("https://", "http://127.0.0.1:")) or (
        row.name == "openai_compatible" and row.base_url == ""
    )
    assert isinstance(row.credentials, ApiKey)
    assert row.credentials.env
    assert row.credentials.required == row.base_url.startswith("https://")


def test_the_rows_go_together_with_those_of_every_installed_plugin() -> None:
    providers = Plugins().providers()
    assert {row.name for row in VENDORS} <= providers.keys()


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("groq", ("GROQ_BASE_URL", "GROQ_API_BASE")),
        ("openai_chat", ("OPENAI_BASE_URL", "OPENAI_API_BASE")),
        ("huggingface", ("HUGGINGFACE_BASE_URL", "HUGGINGFACE_API_BASE")),
        ("ollama", ("OLLAMA_BASE_URL", "OLLAMA_API_BASE")),
        ("vllm", ("VLLM_BASE_URL", "VLLM_API_BASE", "HOSTED_VLLM_API_BASE")),
    ],
)
def test_the_base_url_may_come_from_the_environment(name: str, variables: tuple[str, ...]) -> None:
    assert next(row for row in VENDORS if row.name == name).base_url_env == variables
