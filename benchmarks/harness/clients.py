"""The clients of `load/client.c`: what they ask, and what they have seen."""

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from harness.answers import api_of, frames_of
from harness.machine import Core, on_cores

SENTENCE = "Tell me a three sentence bedtime story about a unicorn. "


class Load(Struct, frozen=True, kw_only=True):
    """What is asked, by how many connections, and for how long.

    `answer` is what the upstream says to it, and the name of the `model` unless that is given;
    `size` is the bytes of input. With a `rate` requests
    start at fixed times, as many a second. It is over after `seconds`, or after `requests`.
    """

    answer: str
    model: str = ""
    size: int = 1000
    stored: bool = False
    tools: tuple[dict[str, object], ...] = ()
    connections: int = 16
    rate: float = 0
    seconds: float = 0
    requests: int = 0
    read_rate: int = 0
    stay: bool = False

    @property
    def streamed(self) -> bool:
        return frames_of(self.answer) > 1

    @property
    def body(self) -> bytes:
        text = (SENTENCE * (self.size // len(SENTENCE) + 1))[: self.size]
        model = self.model or self.answer
        asked: dict[str, object] = {"model": model, "input": text, "store": self.stored}
        asked |= {"stream": True} if self.streamed else {}
        asked |= {"tools": self.tools} if self.tools else {}
        return json.dumps(asked).encode()


class Times(Struct, frozen=True, kw_only=True):
    """How long something took: percentiles, in milliseconds."""

    count: int
    p50: float
    p90: float
    p99: float
    p999: float
    longest: float


class Seen(Struct, frozen=True, kw_only=True):
    """What the clients have seen. `cut` streams ended without their last event.

    `head` and `first_event` count from the request, `gap` between events, `delay` from when the
    upstream has sent an event, where it says so.
    """

    seconds: float
    answered: int
    rejected: int
    failed: int
    cut: int
    unfinished: int
    events: int
    bytes: int
    head: Times
    first_event: Times
    gap: Times
    delay: Times
    whole: Times

    @property
    def lost(self) -> int:
        return self.rejected + self.failed + self.cut + self.unfinished


class Target(Struct, frozen=True, kw_only=True):
    """Where to ask: a port, and the path that leads to an answer."""

    port: int
    path: str = "/v1/responses"
    end: str = "response.completed"
    header: str = ""


class Clients:
    """Runs the program at `program` on `cores`; writes what it posts into `folder`."""

    def __init__(self, program: Path, cores: Core, folder: Path) -> None:
        self._program = program
        self._cores = cores
        self._folder = folder

    def run(self, target: Target, load: Load) -> Seen:
        """Ask, and return what was seen, refusals and lost streams included."""
        command = self._command(target, load)
        with on_cores(self._cores):
            done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        return decoded(done.stdout)

    @contextmanager
    def staying(self, target: Target, load: Load) -> Generator["Stay"]:
        """Keep what was asked for open until the block ends."""
        command = self._command(target, load)
        pipe = subprocess.PIPE
        with on_cores(self._cores), subprocess.Popen(command, stdin=pipe, stdout=pipe) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            stay = Stay(decoded(child.stdout.readline()))
            try:
                yield stay
            finally:
                stay.end(child.stdin, child.stdout)

    def _command(self, target: Target, load: Load) -> list[str]:
        body = self._folder / "body.json"
        body.write_bytes(load.body)
        options = {
            "connections": load.connections,
            "rate": load.rate,
            "seconds": load.seconds,
            "requests": load.requests,
            "read-rate": load.read_rate,
            "header": target.header,
            "end": target.end,
        }
        given = [
            part for name, value in options.items() if value for part in (f"--{name}", str(value))
        ]
        stay = ["--stay"] if load.stay else []
        return [str(self._program), *given, *stay, str(target.port), target.path, str(body)]


class Stay:
    """Clients that do not leave: what they have seen at `first`, and at the end, at `last`."""

    def __init__(self, first: Seen) -> None:
        self.first = first
        self.last = first

    def end(self, order: IO[bytes], report: IO[bytes]) -> None:
        order.close()
        self.last = decoded(report.readline())


def decoded(report: bytes) -> Seen:
    if not report:
        raise SystemExit("the clients have ended without a report")
    return msgspec.json.decode(report, type=Seen)


def direct(port: int, answer: str) -> Target:
    """Return where an upstream or a bare pass-through gives `answer`."""
    api = api_of(answer)
    return Target(port=port, path=f"/{answer}{api.path}", end=api.end)
