"""The files in configs/ and the reference in docs/config.md say what the code does."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from gateway.config import (
    ApiKeyEntry,
    LoggingSettings,
    McpServer,
    ModelEntry,
    PluginSettings,
    ServerSettings,
    StateSettings,
    Timeouts,
    ToolSettings,
    load,
)
from gateway.config.api_keys import _WORDS as API_KEY_WORDS
from gateway.config.loading import _FILE, _GENERAL_SETTINGS
from gateway.config.mcp_servers import _SERVER
from gateway.config.model_list import _ENTRY, _MODEL_INFO, _PARAMS

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(ROOT.glob("configs/*.yaml"))
REFERENCE = (ROOT / "docs/config.md").read_text()
FULL = (ROOT / "configs/full.yaml").read_text()
ENVIRONMENT = {
    name: f"invented-value-of-{name.lower()}"
    for path in [*CONFIGS, ROOT / "docs/config.md"]
    for name in re.findall(r"os\.environ/(\w+)", path.read_text())
}
SECTIONS = (
    ServerSettings,
    PluginSettings,
    StateSettings,
    LoggingSettings,
    Timeouts,
    ToolSettings,
)
FIELDS = {
    *(field for section in SECTIONS for field in section.__struct_fields__),
    *(set(ModelEntry.__struct_fields__) - {"name"}),
    "model_name",
    *(set(McpServer.__struct_fields__) - {"label"}),
    *(set(ApiKeyEntry.__struct_fields__) - {"digest"}),
    "key",
    *_FILE.names,
    *_GENERAL_SETTINGS.names,
}
SPELLINGS = {
    key
    for words in (
        _FILE,
        _ENTRY,
        _PARAMS,
        _MODEL_INFO,
        _GENERAL_SETTINGS,
        _SERVER,
        API_KEY_WORDS,
    )
    for key in (*words.names, *words.aliases)
}


def keys_of(tree: object) -> set[str]:
    match tree:
        case dict():
            return set(tree) | {key for value in tree.values() for key in keys_of(value)}
        case list():
            return {key for value in tree for key in keys_of(value)}
        case _:
            return set()


def test_there_are_the_four_files() -> None:
    assert {path.name for path in CONFIGS} >= {
        "full.yaml",
        "openai.yaml",
        "production.yaml",
        "quickstart.yaml",
    }


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_file_loads(path: Path) -> None:
    assert load(path, ENVIRONMENT).models


def test_the_quickstart_is_open_on_loopback_and_starts_its_model() -> None:
    config = load(ROOT / "configs/quickstart.yaml", {})
    assert (config.server.host, config.server.port, config.api_keys) == ("127.0.0.1", 4000, ())
    assert [entry.launch for entry in config.models] == ["start"]


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_every_key_is_in_the_full_file(field: str) -> None:
    assert field in keys_of(yaml.safe_load(FULL))


@pytest.mark.parametrize("key", sorted(FIELDS | SPELLINGS))
def test_every_key_and_every_other_spelling_is_in_the_reference(key: str) -> None:
    assert re.search(rf"`([\w.]+\.)?{key}(\.\w+)?`|^\s*(- )?{key}:", REFERENCE, re.MULTILINE)


def test_what_the_full_file_shows_are_the_defaults() -> None:
    config = load(ROOT / "configs/full.yaml", ENVIRONMENT)
    shown = msgspec.structs.replace(config.server, tls_certificate=None, tls_key=None)
    assert shown == ServerSettings()
    assert config.plugins == PluginSettings()
    assert config.logging == LoggingSettings()
    assert config.tools == ToolSettings()
    entry = config.models[0]
    for name in ("quirks", "weight", "timeouts", "retries", "launch", "on_unsupported", "tools"):
        assert getattr(entry, name) == getattr(config.models[1], name), name


@pytest.mark.parametrize(
    ("section", "field"),
    [
        (section, field)
        for section in (ServerSettings(), ToolSettings())
        for field in section.__struct_fields__
    ],
    ids=str,
)
def test_the_reference_shows_the_defaults(section: object, field: str) -> None:
    default = getattr(section, field)
    said = f"{default:g}" if isinstance(default, float) else str(default).lower()
    said = "none" if default in (None, {}) else said
    row = next(row for row in REFERENCE.splitlines() if row.startswith("|") and f"`{field}`" in row)
    assert row.split("|")[2].strip().strip("`") == str(said)


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL))
def test_every_example_of_the_reference_loads(block: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    models = "model_list: [{model_name: a, params: {model: openai/a}}]\n"
    path.write_text(block if "model_list" in block else models + block)
    assert load(path, ENVIRONMENT).models
