"""Which library serves: what is missing or impossible is said before anything listens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.cli import main
from gateway.config import ServerSettings
from gateway.errors import ConfigError
from gateway.server import check_engine, engines


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None)


def test_hypercorn_is_the_default() -> None:
    assert ServerSettings().engine == "hypercorn"


def test_every_engine_can_run_here() -> None:
    for engine in ("hypercorn", "granian", "uvicorn"):
        check_engine(ServerSettings(engine=engine))


@pytest.mark.usefixtures("nothing_installed")
def test_a_missing_package_is_named_with_the_way_to_get_it() -> None:
    with pytest.raises(ConfigError) as raised:
        check_engine(ServerSettings(engine="granian"))
    assert str(raised.value) == (
        "server.engine granian needs the package granian, which is not installed:"
        " pip install 'responses-gateway[granian]'"
    )


def test_granian_is_refused_where_it_could_not_end_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines.sys, "platform", "darwin")
    settings = ServerSettings(engine="granian")
    with pytest.raises(ConfigError, match="for Linux only"):
        check_engine(settings)
    check_engine(replace(settings, engine="uvicorn"))


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("command", ["check", "serve"])
def test_the_command_line_says_so(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "gateway.yaml"
    server = {"engine": "uvicorn", "workers": 2, "port": 0}
    models = [{"model_name": "fast", "params": {"model": "openai/m", "api_key": "sk-invented"}}]
    file.write_text(json.dumps({"model_list": models, "server": server}))
    arguments = [command] if command == "check" else []
    assert main([*arguments, "--config", str(file)]) in (1, 2)
    assert "pip install 'responses-gateway[uvicorn]'" in capsys.readouterr().err
