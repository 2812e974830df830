"""Other gateways, installed by `make bench-peers` into an environment of their own."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

from msgspec import Struct

from harness.processes import free_port, running
from harness.systems import Stage, System

HOME = Path(__file__).parents[2] / ".cache" / "peers" / "bin"
KEY = "sk-none-of-anybody"


class Start(Struct, frozen=True, kw_only=True):
    """How a gateway is started: its command, and what it reads from the environment."""

    command: tuple[str, ...]
    environment: dict[str, str] = {}
    end: str = "response.completed"


class Peer(Struct, frozen=True, kw_only=True):
    """Another gateway: the name of its program, and how it listens on a port."""

    name: str
    start: Callable[[Path, str, int], Start]

    @contextmanager
    def run(self, stage: Stage, upstream: System) -> Generator[System]:
        """Run it in front of `upstream`, whose address it cannot add an answer's name to."""
        port, folder = free_port(), stage.folder / self.name
        folder.mkdir(exist_ok=True)
        start = self.start(folder, f"http://127.0.0.1:{upstream.port}", port)
        program, *rest = start.command
        with running(
            (str(HOME / program), *rest),
            port=port,
            cores=stage.cores.tested,
            log=folder / "log",
            environment=start.environment,
        ) as pid:
            header = f"authorization: Bearer {KEY}"
            yield System(
                name=self.name, pid=pid, port=port, plain=True, end=start.end, header=header
            )


def installed() -> dict[str, str]:
    """Return the versions of those that are installed, by the names of their programs."""
    path = [str(folder) for folder in HOME.parent.glob("lib/python*/site-packages")]
    found = (next(iter(distributions(name=peer.name, path=path)), None) for peer in PEERS)
    return {one.name: one.version for one in found if one is not None}


def start_litellm(folder: Path, upstream: str, port: int) -> Start:
    config = {
        "model_list": [
            {
                "model_name": "*",
                "litellm_params": {
                    "model": "openai/gpt-4o",
                    "api_key": KEY,
                    "api_base": f"{upstream}/v1",
                },
            }
        ],
        "litellm_settings": {"drop_params": True},
        "general_settings": {"master_key": KEY},
    }
    file = folder / "config.yaml"
    file.write_text(json.dumps(config))
    command = ("litellm", "--config", str(file), "--host", "127.0.0.1", "--port", str(port))
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return Start(command=command, environment=quiet)


def start_smg(folder: Path, upstream: str, port: int) -> Start:
    options = {
        "--backend": "openai",
        "--worker-urls": upstream,
        "--host": "127.0.0.1",
        "--port": str(port),
        "--prometheus-port": str(free_port()),
        "--history-backend": "none",
        "--log-level": "error",
    }
    given = tuple(part for option in options.items() for part in option)
    return Start(command=("smg", "launch", *given, "--disable-health-check"))


def start_ferrogw(folder: Path, upstream: str, port: int) -> Start:
    config = folder / "config.yaml"
    config.write_text(
        json.dumps({"strategy": {"mode": "single"}, "targets": [{"virtual_key": "openai"}]})
    )
    environment = {
        "GATEWAY_CONFIG": str(config),
        "MASTER_KEY": KEY,
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": upstream,
        "PORT": str(port),
        "LOG_LEVEL": "error",
        "RATE_LIMIT_RPS": "1000000",
        "RATE_LIMIT_BURST": "1000000",
    }
    return Start(command=("ferrogw", "serve"), environment=environment)


PEERS = (
    Peer(name="ferrogw", start=start_ferrogw),
    Peer(name="smg", start=start_smg),
    Peer(name="litellm", start=start_litellm),
)
