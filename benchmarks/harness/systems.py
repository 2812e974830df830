"""What is measured: the upstream itself, the bare pass-through, and the gateway."""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from harness.answers import api_of, write_answers
from harness.clients import Clients, Target, direct
from harness.machine import Cores
from harness.processes import free_port, running

BENCHMARKS = Path(__file__).parents[1]
STREAMS_AT_ONCE = 20_000
WHATEVER = "gpt-4o"
"""The model that gives what the upstream answers to paths that name no answer."""


class System(Struct, frozen=True, kw_only=True):
    """A process that answers on `port`. `plain`: all answers are at one path, as with a gateway."""

    name: str
    pid: int
    port: int
    plain: bool = False
    end: str = ""
    header: str = ""

    def target(self, answer: str) -> Target:
        if self.plain:
            end = self.end or "response.completed"
            return Target(port=self.port, end=end, header=self.header)
        return direct(self.port, answer)


class Stage(Struct, frozen=True, kw_only=True):
    """Where everything takes place: cores, programs in C, clients, and a folder to write into."""

    cores: Cores
    programs: Path
    folder: Path
    clients: Clients
    answers: frozenset[str]

    @contextmanager
    def upstream(self, fallback: str = "") -> Generator[System]:
        """Run an upstream; `fallback` is what it answers to paths that name no answer."""
        port, files = free_port(), self.folder / "answers"
        write_answers(files, set(self.answers))
        command = [
            str(self.programs / "upstream"),
            str(port),
            str(files),
            *filter(None, [fallback]),
        ]
        log = self.folder / "upstream.log"
        with running(command, port=port, cores=self.cores.upstream, log=log) as pid:
            yield System(name="direct", pid=pid, port=port)

    @contextmanager
    def bare(self, upstream: System, engine: str = "hypercorn") -> Generator[System]:
        port, log = free_port(), self.folder / "bare.log"
        script, address = str(BENCHMARKS / "bare.py"), f"http://127.0.0.1:{upstream.port}"
        command = [sys.executable, script, address, str(port), engine]
        with running(command, port=port, cores=self.cores.tested, log=log) as pid:
            yield System(name="bare", pid=pid, port=port)

    @contextmanager
    def gateway(
        self, upstream: System, engine: str = "hypercorn", **settings: Any
    ) -> Generator[System]:
        """Run a gateway with one model for each answer; `settings` are further ones of the file."""
        port, log = free_port(), self.folder / "gateway.log"
        models = [model_entry(name, upstream.port) for name in (WHATEVER, *sorted(self.answers))]
        server = {"port": port, "max_in_flight": STREAMS_AT_ONCE, **settings.pop("server", {})}
        server |= {} if engine == "hypercorn" else {"engine": engine}
        state = {"directory": str(self.folder / "state" / str(port))}
        config = {"model_list": models, "server": server, "state": state} | settings
        config.setdefault("logging", {"level": "warning"})
        file = self.folder / f"gateway-{port}.yaml"
        file.write_bytes(msgspec.json.encode(config))  # JSON is YAML
        cores = self.cores.tested
        if server.get("workers", 1) > 1:
            cores |= self.cores.clients
        command = [sys.executable, "-m", "gateway", "--config", str(file)]
        with running(command, port=port, cores=cores, log=log) as pid:
            yield System(name="gateway", pid=pid, port=port, plain=True)


def model_entry(name: str, upstream: int) -> Mapping[str, object]:
    """Return a model that is named as the answer which it gives."""
    api = api_of(name)
    place = "" if name == WHATEVER else f"/{name}"
    parameters = {
        "model": f"{api.provider}/invented",
        "api_key": "sk-none",
        "base_url": f"http://127.0.0.1:{upstream}{place}{api.base}",
    }
    return {"model_name": name, "params": parameters}
