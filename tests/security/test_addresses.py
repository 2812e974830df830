"""Servers that clients name: no address of the gateway's own network is reached, or told of.

The tests play the internet: some public addresses lead to servers here, and names have the
addresses that a test gives them. All else that is tried is noted, and fails.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.testing import Script, ScriptedUpstream, event_stream, json_answer, redirect

if TYPE_CHECKING:
    from .conftest import Caller, McpPeer, Model, Serve, Told

pytestmark = pytest.mark.asyncio(loop_scope="session")

PUBLIC = "93.184.215.14"
TELLING = ("127.0.0.1", "10.0.0.7", "169.254", "Errno", "refused", "loopback", "link-local")


class Internet(AbstractResolver):
    """Names and their addresses; `leads_to` has the ports of the loopback behind public ones.

    A name has each of its answers in turn, the last one for ever. `tried` are the addresses that
    somebody wanted to connect to, `asked` the names that were resolved.
    """

    def __init__(self) -> None:
        self.names: dict[str, deque[Iterable[str]]] = {}
        self.leads_to: dict[str, int] = {}
        self.tried: list[str] = []
        self.asked: list[str] = []

    def name(self, host: str, *answers: Iterable[str]) -> None:
        self.names[host] = deque(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError(None, "no such name")
        answers = self.names[host]
        addresses = answers.popleft() if len(answers) > 1 else answers[0]
        return [_resolved(host, port, address) for address in addresses]

    async def close(self) -> None: ...


def _resolved(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch, network: ScriptedUpstream) -> Internet:
    """Return an internet whose only server is the network of the tests."""
    internet = Internet()
    internet.leads_to[PUBLIC] = int(network.url.rpartition(":")[2])
    connect = socket.socket.connect

    def play(connecting: socket.socket, address: Any) -> None:
        host = address[0]
        if host in internet.leads_to:
            internet.tried.append(host)
            return connect(connecting, ("127.0.0.1", internet.leads_to[host]))
        if host not in {"127.0.0.1", "::1"}:
            internet.tried.append(host)
            raise ConnectionRefusedError
        return connect(connecting, address)

    monkeypatch.setattr(socket.socket, "connect", play)
    return internet


async def refusal(caller: Caller, url: str, **body: Any) -> Told:
    """Ask for a response with a server at `url`, which must not be had."""
    tool = {"type": "mcp", "server_label": "docs", "server_url": url, "require_approval": "never"}
    told = await caller.send("echo {}", tools=[tool], **body)
    assert told.status in (400, 424), told.text
    return told


def port_of(server: McpPeer) -> str:
    return server.url.rpartition(":")[2]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.9.10",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "127.0.0.1%2e",
        "%31%32%37.0.0.1",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "\u2460\u2461\u2466.0.0.1",
        "0.0.0.0",
        "0",
        "10.0.0.7",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::a00:7]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fd00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "[fec0::1]",
        "[ff02::1]",
        "[5f00::1]",
        "user@127.0.0.1",
        "example.com@127.0.0.1",
        "127.0.0.1:80@127.0.0.1",
    ],
)
async def test_addresses_within_are_refused_in_every_spelling(
    host: str, serve: Serve, server: McpPeer, internet: Internet
) -> None:
    async with serve(resolver=internet) as service:
        told = await refusal(service.alpha, f"http://{host}:{port_of(server)}")
    assert server.requests == []
    assert internet.tried == []
    assert told.problem["param"] in ("tools[0].server_url", "tools")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "[::ffff:10.0.0.7]"])
async def test_what_is_seen_to_be_within_is_refused_before_anything_is_done(
    host: str, serve: Serve, server: McpPeer, model: Model
) -> None:
    async with serve() as service:
        told = await refusal(service.alpha, f"http://{host}:{port_of(server)}", stream=True)
    assert (told.status, told.problem["param"]) == (400, "tools[0].server_url")
    assert model.heard == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1:25/",
        "unix:///var/run/docker.sock",
        "ws://127.0.0.1/",
        "//127.0.0.1/mcp",
        "127.0.0.1",
        "http:/127.0.0.1",
        "http:\\\\127.0.0.1",
        "http://docs.test\\@127.0.0.1/",
        "http://docs.test\r\nx: y@127.0.0.1/",
        "http://",
        "http://:80/",
        "http://127.0.0.1:99999/",
        "http://[::1",
        "http://docs.test#@127.0.0.1/",
        "http://docs.test?@127.0.0.1/",
        "",
    ],
)
async def test_what_is_no_url_reaches_nobody(
    url: str, serve: Serve, server: McpPeer, internet: Internet
) -> None:
    async with serve(resolver=internet) as service:
        await refusal(service.alpha, url)
    assert internet.tried == []
    assert set(internet.asked) <= {"docs.test"}


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.7"], ["169.254.169.254"], ["::1"], ["fd00::7"], ["::ffff:10.0.0.7"]],
)
async def test_a_name_with_an_address_within_is_like_one_that_nobody_has(
    addresses: list[str], serve: Serve, server: McpPeer, internet: Internet, stream: bool
) -> None:
    internet.name("inner.test", addresses)
    async with serve(resolver=internet) as service:
        inner = await refusal(service.alpha, f"http://inner.test:{port_of(server)}")
        unknown = await refusal(service.alpha, f"http://nobody.test:{port_of(server)}")
    assert (internet.tried, server.requests) == ([], [])
    assert inner.problem == unknown.problem
    assert not any(word in inner.text for word in TELLING)


async def test_localhost_is_refused(serve: Serve, server: McpPeer) -> None:
    """The system resolves it, and not a resolver of the tests."""
    async with serve() as service:
        for host in ("localhost", "LOCALHOST", "localhost."):
            told = await refusal(service.alpha, server.url.replace("127.0.0.1", host))
            assert not any(word in told.text for word in TELLING)
    assert server.requests == []


async def test_a_public_server_is_reached(
    serve: Serve, server: McpPeer, internet: Internet
) -> None:
    """Else the tests of this file would prove nothing."""
    internet.name("docs.test", [PUBLIC])
    url = server.url.replace("127.0.0.1", "docs.test")
    async with serve(resolver=internet) as service:
        tools = [server.tool(server_url=url, require_approval="never")]
        told = await service.alpha.ask('echo {"text": "hi"}', tools=tools)
    assert told.kinds == ["mcp_list_tools", "mcp_call", "message"]
    assert set(internet.tried) == {PUBLIC}


async def test_a_name_that_is_rebound_between_two_requests_stays_outside(
    serve: Serve, server: McpPeer, internet: Internet, stream: bool
) -> None:
    """The first connection is public, so listing begins; the next would lead to the inside."""
    server.closes = True  # else one connection would do for all
    internet.name("docs.test", [PUBLIC], ["127.0.0.1"])
    url = server.url.replace("127.0.0.1", "docs.test")
    async with serve(resolver=internet) as service:
        tools = [server.tool(server_url=url, require_approval="never")]
        told = await service.alpha.send("echo {}", tools=tools, stream=stream)
    assert told.problem is not None
    assert len(server.requests) == len(internet.tried) == 1


async def test_a_name_that_is_rebound_before_the_call_stays_outside(
    serve: Serve, server: McpPeer, internet: Internet
) -> None:
    server.closes = True
    internet.name("docs.test", [PUBLIC], [PUBLIC], ["127.0.0.1"])
    url = server.url.replace("127.0.0.1", "docs.test")
    async with serve(resolver=internet) as service:
        tools = [server.tool(server_url=url, require_approval="never")]
        told = await service.alpha.ask("echo {}", tools=tools)
    assert told.item("mcp_call")["status"] == "failed"
    assert server.calls == []
    assert not any(word in told.item("mcp_call")["error"]["message"] for word in TELLING)


async def test_of_many_addresses_only_public_ones_are_tried(
    serve: Serve, network: ScriptedUpstream, server: McpPeer, internet: Internet
) -> None:
    """The public one does not answer, which must not lead to the next."""
    del internet.leads_to[PUBLIC]
    internet.name("docs.test", ["10.0.0.7", PUBLIC, "127.0.0.1", "::1", "169.254.169.254"])
    async with serve(resolver=internet) as service:
        told = await refusal(service.alpha, server.url.replace("127.0.0.1", "docs.test"))
    assert set(internet.tried) == {PUBLIC}
    assert server.requests == []
    assert not any(word in told.text for word in TELLING)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["server/discover", "tools/list", "tools/call"])
async def test_a_redirect_leads_to_no_other_server(
    status: int, method: str, serve: Serve, open_server: Callable[[], McpPeer], internet: Internet
) -> None:
    """Be it within, or a public one that is not to see the headers."""
    server, other = open_server(), open_server()
    internet.name("docs.test", [PUBLIC])
    internet.name("other.test", [PUBLIC])
    internet.name("inner.test", ["127.0.0.1"])
    targets = [other.url.replace("127.0.0.1", host) for host in ("other.test", "inner.test")]
    targets += [other.url, other.url.removeprefix("http:"), "http://169.254.169.254/latest/"]
    url = server.url.replace("127.0.0.1", "docs.test")
    async with serve(resolver=internet) as service:
        for number, target in enumerate(targets):
            server.says[method] = redirect(target, status=status)
            # One that failed is left alone for a while: each is another server to the gateway.
            tools = [server.tool(server_url=f"{url}?n={number}", require_approval="never")]
            told = await service.alpha.send("echo {}", tools=tools)
            failed = told.status == 424 or told.item("mcp_call")["status"] == "failed"
            assert failed, told.text
            assert target not in told.text
    assert other.requests == []
    assert set(internet.tried) == {PUBLIC}


async def test_nothing_that_a_server_names_is_fetched(
    serve: Serve, network: ScriptedUpstream, server: McpPeer, internet: Internet
) -> None:
    """Addresses of an authorization server, of an endpoint for events, and of resources."""
    internet.name("docs.test", [PUBLIC])
    inner = f"{network.url}/inner"
    reached: list[Any] = []
    network.handle("/inner", lambda received: reached.append(received) or json_answer({}))
    challenge = {"www-authenticate": f'Bearer resource_metadata="{inner}"'}
    link = {"type": "resource_link", "uri": inner, "name": "x"}
    icons = [{"src": inner}]
    url = server.url.replace("127.0.0.1", "docs.test")
    async with serve(resolver=internet) as service:
        tools = [server.tool(server_url=url, require_approval="never")]
        server.tools[0]["icons"] = icons
        server.says["tools/call"] = lambda message: server.result(message, content=[link])
        await service.alpha.ask("echo {}", tools=tools)
        for status, headers in ((401, challenge), (403, challenge), (404, {})):
            server.says["server/discover"] = Script(status=status, headers=headers)
            server.says["initialize"] = Script(status=404)
            server.says[""] = event_stream(f"event: endpoint\ndata: {inner}\n\n".encode())
            tools = [server.tool(server_url=f"{url}?{status}")]
            assert (await service.alpha.send("echo {}", tools=tools)).status == 424
    assert reached == []
    assert set(internet.tried) == {PUBLIC}


async def test_a_stream_of_events_may_not_name_another_server(
    serve: Serve, network: ScriptedUpstream, model: Model, internet: Internet
) -> None:
    """The older transport begins with the address that requests are posted to."""
    internet.name("docs.test", [PUBLIC])
    reached: list[Any] = []
    network.handle("/inner", lambda received: reached.append(received) or json_answer({}))
    said = f"event: endpoint\ndata: {network.url}/inner\n\n".encode()
    network.handle(
        "/older",
        lambda received: event_stream(said) if received.method == "GET" else Script(status=405),
    )
    async with serve(resolver=internet) as service:
        await refusal(service.alpha, f"{network.url.replace('127.0.0.1', 'docs.test')}/older")
    assert reached == []
