"""Where the gateway listens, and where it refuses to."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from gateway.config import Config
from gateway.errors import ConfigError
from gateway.server import check_binding, create_server, listen

if TYPE_CHECKING:
    from .conftest import Serve


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_an_open_gateway_may_listen_on_the_loopback(config: Config, host: str) -> None:
    check_binding(replace(config, api_keys=(), server=replace(config.server, host=host)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "gateway.example", ""])
def test_an_open_gateway_may_listen_nowhere_else(config: Config, host: str) -> None:
    public = replace(config, server=replace(config.server, host=host))
    check_binding(public)
    with pytest.raises(ConfigError, match="there are no api_keys"):
        check_binding(replace(public, api_keys=()))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_port_0_is_reported_as_the_real_port(serve: Serve, host: str) -> None:
    if host == "::1" and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    async with serve(host=host) as service:
        assert service.url == f"http://{'[::1]' if host == '::1' else host}:{service.port}"
        assert service.port > 0


def test_a_port_that_is_taken_is_one_clear_line(config: Config) -> None:
    with listen(config.server) as taken:
        settings = replace(config.server, port=taken.getsockname()[1])
        with pytest.raises(ConfigError) as raised:
            listen(settings)
    assert str(raised.value) == (
        f"cannot listen on 127.0.0.1:{settings.port}: Address already in use;"
        " choose another server.host or server.port"
    )


def test_an_address_of_somebody_else_is_one_clear_line(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"^cannot listen on 192\.0\.2\.1:0: [^\n]+$"):
        listen(replace(config.server, host="192.0.2.1"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tls_certificate": "some.pem"}, "belong together"),
        ({"tls_key": "some.pem"}, "belong together"),
        ({"tls_certificate": "no.pem", "tls_key": "no.pem"}, "no.pem cannot be used: No such file"),
        ({"tls_certificate": __file__, "tls_key": __file__}, "cannot be used"),
    ],
)
async def test_unusable_certificates_are_one_clear_line(
    config: Config, changes: dict[str, str], message: str
) -> None:
    settings = replace(config.server, **changes)
    with listen(settings) as listener, pytest.raises(ConfigError, match=message) as raised:
        await create_server(None, settings, listener).run()
    assert "\n" not in str(raised.value)
