"""What the tests of several folders share: a gateway that runs as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec import Struct

PATIENCE = 40.0  # seconds, more than a gateway lets running streams go on


class GatewayProcess(Struct, frozen=True, kw_only=True):
    """A gateway in a process of its own: its address, without a slash at the end, and its log."""

    url: str
    log_path: Path
    process: subprocess.Popen[str]

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None


class RunGateway(Protocol):
    """Runs a gateway with the given configuration, by default in our own environment."""

    def __call__(
        self, config: Mapping[str, Any], *, python: Path = ...
    ) -> AbstractContextManager[GatewayProcess]: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server-engine", help="server.engine of the gateways that run as processes of their own"
    )


def settings_of(directory: Path) -> dict[str, str]:
    """Return an environment that holds nobody's keys, and keeps what is written in `directory`."""
    kept = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return {**environment, "GATEWAY_HOME": str(directory)}


def stop(process: subprocess.Popen[str]) -> None:
    """Ask `process` to stop, and do not wait for ever if it does not."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@pytest.fixture(scope="session")
def run_gateway(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> RunGateway:
    """Return a context manager that runs a gateway with the given configuration.

    At its end the gateway must stop when it is asked to, and its log must tell of no bug.
    """

    engine = pytestconfig.getoption("--server-engine")

    @contextmanager
    def running(
        config: Mapping[str, Any], *, python: Path = Path(sys.executable)
    ) -> Generator[GatewayProcess]:
        directory = tmp_path_factory.mktemp("gateway")
        file, log_path = directory / "gateway.yaml", directory / "gateway.log"
        if engine:
            config = {**config, "server": {"engine": engine, **config.get("server", {})}}
        file.write_text(json.dumps(config))  # JSON is YAML
        command = [python, "-m", "gateway", "--config", str(file), "--port", "0"]
        with (
            log_path.open("w") as log,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=settings_of(directory)
            ) as process,
        ):
            try:
                assert process.stdout is not None
                announced = process.stdout.readline().split()
                assert announced, log_path.read_text()
                yield GatewayProcess(url=announced[-1], log_path=log_path, process=process)
            finally:
                stop(process)
        assert process.returncode in (0, -signal.SIGKILL)  # which only a test sends
        assert "Traceback" not in log_path.read_text()

    return running
