"""The two ways in: the SDK in this process, and a proxy in one of its own; and an OpenAI to ask."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gateway.client.functions import DEFAULT
from gateway.testing.openai import ImitatedOpenAI

KEY = "sk-invented"

Serve = Callable[[str], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both ways in keep their secret, so that their ids are the same."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def imitation() -> Iterator[ImitatedOpenAI]:
    with ImitatedOpenAI() as openai:
        yield openai


@pytest.fixture
def openai(imitation: ImitatedOpenAI) -> ImitatedOpenAI:
    imitation.requests.clear()
    return imitation


@pytest.fixture
def sdk(
    monkeypatch: pytest.MonkeyPatch, openai: ImitatedOpenAI, home: Path
) -> Iterator[ImitatedOpenAI]:
    """Make `openai` what the functions of the package call, and return it."""
    monkeypatch.setenv("GATEWAY_HOME", str(home))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", openai.url)
    yield openai
    DEFAULT.stop()


@pytest.fixture(scope="module")
def serve(imitation: ImitatedOpenAI, home: Path) -> Serve:
    """Return a context manager that runs `gateway --config` with a text, and gives its address."""
    environment = {
        **os.environ,
        "GATEWAY_HOME": str(home),
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": imitation.url,
    }

    @contextlib.contextmanager
    def run(config: str) -> Generator[str]:
        path = home / "config.yaml"
        path.write_text(config)
        command = [sys.executable, "-m", "gateway", "--config", str(path), "--port", "0"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            try:
                announced = process.stdout.readline()
                assert announced.startswith("running on "), process.communicate()
                yield announced.split()[-1].replace("127.0.0.1", "localhost")
            finally:
                process.terminate()
                process.communicate(timeout=20)

    return run
