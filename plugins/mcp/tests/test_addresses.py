"""The guard of addresses: which are public, in every spelling, and when that is checked."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as some

from gateway.testing.script import json_answer, redirect
from gateway.testing.upstream import ScriptedUpstream
from gateway_mcp.addresses import refusal
from gateway_mcp.client import McpClient
from gateway_mcp.connection import HttpEndpoint, McpUnreachableError


class Answers(AbstractResolver):
    """A resolver that says another address each time it is asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses.pop(0)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "[::1]",
        "0:0:0:0:0:0:0:1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "[::ffff:10.0.0.1]",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fe80::1",
        "fe80::1%eth0",
        "[fe80::1%25eth0]",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "100::1",
    ],
)
def test_an_address_that_is_not_public_is_refused_in_every_spelling(host: str) -> None:
    assert refusal(host) is not None


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700:4700::1111",
        "[2606:4700:4700::1111]",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "example.com",
        "localhost",
        "10.example.com",
        "",
    ],
)
def test_public_addresses_and_names_pass(host: str) -> None:
    assert refusal(host) is None


@given(some.ip_addresses(v=4))
def test_an_address_inside_of_another_is_judged_like_itself(address: IPv4Address) -> None:
    number = int(address)
    spellings = (
        str(number),
        hex(number),
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1",
    )
    assert {refusal(spelling) for spelling in spellings} == {refusal(str(address))}


@given(some.text())
def test_no_text_breaks_the_guard(host: str) -> None:
    refusal(host)


async def refused(client: McpClient, url: str) -> str:
    with pytest.raises(McpUnreachableError) as raised:
        await client.connect(HttpEndpoint(url=url))
    return raised.value.message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"])
async def test_a_client_named_server_on_this_machine_is_never_reached(
    host: str, client: McpClient, scripted: ScriptedUpstream
) -> None:
    port = scripted.url.rpartition(":")[2]
    assert "not public" in await refused(client, f"http://{host}:{port}/mcp")
    assert scripted.connections == 0


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.1."])
async def test_neither_is_one_that_only_the_c_library_would_read(
    host: str, client: McpClient, scripted: ScriptedUpstream
) -> None:
    port = scripted.url.rpartition(":")[2]
    await refused(client, f"http://{host}:{port}/mcp")
    assert scripted.connections == 0


async def test_a_name_that_leads_to_another_address_the_second_time_gains_nothing(
    scripted: ScriptedUpstream,
) -> None:
    """It is checked where it matters: on the address that is connected to."""
    port = scripted.url.rpartition(":")[2]
    answers = Answers("127.0.0.1", "127.0.0.1", "10.0.0.1")
    async with McpClient(resolver=answers) as client:
        url = f"http://rebinding.example:{port}/mcp"
        assert "not public" in await refused(client, url)
        assert "not public" in await refused(client, url)
        assert "10.0.0.1" not in await refused(client, url)
    assert scripted.connections == 0
    assert answers.addresses == []


async def test_what_an_operator_may_reach_is_no_way_in_for_a_client(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    """Pooled connections of the one are not used for the other."""
    scripted.handle("/mcp", lambda _: json_answer({}, status=403))
    for private in (True, False):
        with pytest.raises(Exception, match="403" if private else "not public"):
            await client.connect(HttpEndpoint(url=f"{scripted.url}/mcp", private=private))
    assert len(scripted.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/mcp",
        "file:///etc/passwd",
        "/mcp",
        "http://",
        "http://user:password@example.com/",
        "http://user@example.com/",
        "http://[::1",
        "not a url",
    ],
)
async def test_only_http_urls_without_credentials_are_taken(url: str, client: McpClient) -> None:
    assert "password@" not in await refused(client, url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_origin_is_not_followed(
    status: int, client: McpClient, scripted: ScriptedUpstream
) -> None:
    async with ScriptedUpstream() as other:
        scripted.add(redirect(f"{other.url}/mcp", status=status))
        endpoint = HttpEndpoint(
            url=f"{scripted.url}/mcp", private=True, headers={"authorization": "Bearer secret-1"}
        )
        with pytest.raises(McpUnreachableError, match="name the one that it leads to"):
            await client.connect(endpoint)
        assert other.requests == []


async def test_a_redirect_within_the_origin_is_followed_and_remembered(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", lambda _: redirect("/mcp/", status=307))
    discovered = {"supportedVersions": ["2026-07-28"]}
    scripted.handle(
        "/mcp/",
        lambda received: json_answer(
            {"jsonrpc": "2.0", "id": received.json()["id"], "result": {**discovered, "tools": []}}
        ),
    )
    connection = await client.connect(HttpEndpoint(url=f"{scripted.url}/mcp", private=True))
    assert await connection.list_tools() == ()
    assert [request.path for request in scripted.requests] == ["/mcp", "/mcp/", "/mcp/"]


async def test_a_redirect_in_a_circle_ends(client: McpClient, scripted: ScriptedUpstream) -> None:
    scripted.handle("/mcp", lambda _: redirect("/mcp", status=308))
    with pytest.raises(McpUnreachableError):
        await client.connect(HttpEndpoint(url=f"{scripted.url}/mcp", private=True))
    assert len(scripted.requests) == 2


async def test_proxies_of_the_environment_are_not_used(
    client: McpClient, scripted: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ScriptedUpstream() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        scripted.add(json_answer({}, status=403))
        with pytest.raises(Exception, match="403"):
            await client.connect(HttpEndpoint(url=f"{scripted.url}/mcp", private=True))
        assert proxy.requests == []
