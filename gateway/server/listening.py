"""Where to listen: the socket, the certificate, and who may be let in there."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl

from gateway.config import Config, ServerSettings
from gateway.errors import ConfigError
from gateway.server.limits import BACKLOG

__all__ = ["certificate_of", "check_binding", "listen", "url_of"]


def check_binding(config: Config) -> None:
    """Refuse to serve strangers without keys. Raises `ConfigError`."""
    host = config.server.host
    if not config.api_keys and not _is_loopback(host):
        raise ConfigError(
            f"server.host {host!r} can be reached from other machines and there are no api_keys:"
            " add one, or listen on 127.0.0.1"
        )


def listen(settings: ServerSettings, *, shared: bool = False) -> socket.socket:
    """Return a listening socket for `settings`; `shared` ones can have the same port.

    Raises `ConfigError` if the address is unknown, not ours, or taken.
    """
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        # "localhost" is both; most clients try IPv4, and some nothing else.
        family, *_, address = min(found, key=lambda candidate: candidate[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family, backlog=BACKLOG, reuse_port=shared)
    except socket.gaierror as error:
        raise _cannot_listen(settings, error.strerror) from error
    except OSError as error:
        raise _cannot_listen(settings, os.strerror(error.errno or 0)) from error


def _cannot_listen(settings: ServerSettings, reason: str | None) -> ConfigError:
    return ConfigError(
        f"cannot listen on {settings.host}:{settings.port}: {reason};"
        " choose another server.host or server.port"
    )


def certificate_of(settings: ServerSettings) -> tuple[str | None, str | None]:
    """Return the paths of the certificate and of its key, or twice None without TLS.

    Raises `ConfigError` if they cannot be used.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None, None
    if certificate is None or key is None:
        raise ConfigError("server.tls_certificate and server.tls_key belong together: give both")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigError(
            f"server.tls_certificate {certificate} and server.tls_key {key} cannot be used:"
            f" {error.strerror or error}"
        ) from error
    return certificate, key


def url_of(settings: ServerSettings, listener: socket.socket) -> str:
    """Return where `listener` is reached, with its real port."""
    scheme = "https" if settings.tls_certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
