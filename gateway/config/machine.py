"""What the configuration takes from this machine: environment, directories, the secret file."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from gateway.config.settings import Config, Environment
from gateway.errors import ConfigError

__all__ = ["cache_directory", "environment", "secret", "state_directory"]

_NAME = "responses-gateway"
_SECRET_BYTES = 32
_SHORTEST = 16


def environment() -> Environment:
    """Return this process's environment variables. Nothing else in the gateway reads them."""
    return Environment(os.environ)


def state_directory(environment: Mapping[str, str]) -> Path:
    """Return where state is kept unless the file says otherwise."""
    return _directory(environment, "state", "XDG_STATE_HOME", ".local/state")


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Return where downloads are kept, such as the weights of local models."""
    return _directory(environment, "cache", "XDG_CACHE_HOME", ".cache")


def secret(config: Config) -> bytes:
    """Return the secret that seals ids: the operator's, or the one in the state directory.

    The first start makes that file, for the owner's eyes only; two processes that start at once end
    up with the same one. Raises `ConfigError` if it cannot be written or read, or if others can
    read it.
    """
    if config.state.secret:
        return _long_enough(config.state.secret.reveal().encode(), "GATEWAY_SECRET or state.secret")
    path = config.state.directory / "secret"
    try:
        if not path.exists():
            _create_secret(path)
        return _read_secret(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: the secret cannot be kept here ({error.strerror}); set GATEWAY_SECRET, or"
            " state.directory to a directory that can be written"
        ) from error


def _directory(environment: Mapping[str, str], purpose: str, xdg: str, fallback: str) -> Path:
    if home := environment.get("GATEWAY_HOME"):
        return Path(home) / purpose
    if parent := environment.get(xdg):
        return Path(parent) / _NAME
    home = environment.get("HOME")
    return (Path(home) if home else Path.home()) / fallback / _NAME


def _create_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".secret-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_SECRET_BYTES))
        # A link, unlike a rename, never replaces: of two processes the first wins.
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _read_secret(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        content = file.read().strip()
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path}: other users can read the secret; run `chmod 600 {path}`")
    return _long_enough(content, str(path))


def _long_enough(content: bytes, source: str) -> bytes:
    if len(content) < _SHORTEST:
        raise ConfigError(
            f"{source}: the secret has fewer than {_SHORTEST} characters; use 32 random ones"
        )
    return content
