"""Which server a tool names, for whom, and what is refused before anything is sent."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequestError
from gateway.plugin import Config, McpServer, Secret, ToolSettings
from gateway.types.tools import McpApprovalPolicy, McpTool, McpToolFilter
from gateway_mcp.connection import HttpEndpoint, ProcessEndpoint
from gateway_mcp.servers import Servers

KEY = "invented-credential"
URL = "https://docs.example/mcp"
WIKI = McpServer(label="wiki", url="https://wiki.example/mcp", authorization=Secret(KEY))
FILES = McpServer(
    label="files",
    command="files-server",
    args=("--all",),
    env={"TOKEN": Secret(KEY, "os.environ/TOKEN"), "MODE": Secret("production")},
    tenants=("shop",),
)
ENVIRONMENT = {"PATH": "/bin", "HOME": "/root", "OPENAI_API_KEY": "invented-key-of-ours"}


def having(*servers: McpServer, private: bool = False) -> Servers:
    """Return what a gateway with `servers` knows."""
    state: Any = None  # of no use here
    tools = ToolSettings(private_addresses=private)
    return Servers(Config(state=state, tools=tools, mcp_servers=servers, environment=ENVIRONMENT))


SERVERS = having(WIKI, FILES)


def tool(label: str = "docs", **members: Any) -> McpTool:
    return msgspec.convert({"type": "mcp", "server_label": label, **members}, McpTool)


def refusal(written: McpTool, tenant: str = "shop", servers: Servers = SERVERS) -> tuple[str, str]:
    with pytest.raises(InvalidRequestError) as raised:
        servers.resolve(written, tenant)
    assert raised.value.status == 400
    return raised.value.param or "", raised.value.message


def test_an_operators_server_is_named_by_its_label_alone() -> None:
    server = SERVERS.resolve(tool("wiki"), "anybody")
    assert server.endpoint == HttpEndpoint(
        url="https://wiki.example/mcp", headers={"Authorization": f"Bearer {KEY}"}, private=True
    )
    assert (server.listed, server.owner, server.seconds) == (True, "", 10.0)
    assert KEY in server.secrets
    assert KEY not in repr(server)


def test_a_command_gets_its_environment_and_none_of_our_keys() -> None:
    server = SERVERS.resolve(tool("files"), "shop")
    assert server.endpoint == ProcessEndpoint(
        command="files-server",
        args=("--all",),
        environment={"PATH": "/bin", "HOME": "/root", "TOKEN": KEY, "MODE": "production"},
    )
    assert server.secrets == {KEY}


def test_a_server_of_other_tenants_looks_as_if_there_were_none() -> None:
    assert SERVERS.resolve(tool("files"), "shop").label == "files"
    hidden = refusal(tool("files"), "lab")
    missing = refusal(tool("other"), "lab")
    assert hidden == ("server_url", missing[1].replace("other", "files"))
    assert SERVERS.insists(tool("files"))
    assert SERVERS.insists(tool("other"))
    # A server of one's own may have the label of one that one may not know of.
    assert SERVERS.resolve(tool("files", server_url=URL), "lab").owner == "lab"


def test_only_a_label_alone_makes_the_gateway_insist() -> None:
    assert not SERVERS.insists(tool("wiki", server_url=URL))
    assert not SERVERS.insists(tool("wiki", connector_id="connector_dropbox"))
    assert not having().insists(tool("wiki"))


def test_a_clients_server_is_its_own() -> None:
    server = SERVERS.resolve(
        tool(server_url=URL, authorization=KEY, headers={"X-Team": "a"}, require_approval="never"),
        "lab",
    )
    assert server.endpoint == HttpEndpoint(
        url=URL, headers={"X-Team": "a", "Authorization": f"Bearer {KEY}"}
    )
    assert (server.owner, server.listed, server.policies) == ("lab", False, ("never",))
    assert server.secrets == {KEY, f"Bearer {KEY}"}


def test_a_token_may_come_with_its_scheme() -> None:
    for written in (KEY, f"Bearer {KEY}", f"bearer {KEY}"):
        endpoint = SERVERS.resolve(tool(server_url=URL, authorization=written), "lab").endpoint
        assert isinstance(endpoint, HttpEndpoint)
        assert endpoint.headers == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("operator", "client", "policies"),
    [
        (None, None, (None,)),
        (None, "never", ("never",)),
        ("never", None, ("never",)),
        ("always", "never", ("always", "never")),
        ("never", "always", ("never", "always")),
    ],
)
def test_the_operators_approvals_are_the_least_and_the_clients_may_add(
    operator: Any, client: Any, policies: tuple[Any, ...]
) -> None:
    server = msgspec.structs.replace(WIKI, require_approval=operator)
    found = having(server).resolve(tool("wiki", require_approval=client), "a")
    assert found.policies == policies


def test_the_filters_of_operator_and_client_both_count() -> None:
    server = msgspec.structs.replace(WIKI, allowed_tools=McpToolFilter(read_only=True))
    found = having(server).resolve(tool("wiki", allowed_tools=["ask"]), "a")
    assert found.allowed == (McpToolFilter(read_only=True), ("ask",))
    assert isinstance(found.policies, tuple)
    assert McpApprovalPolicy() not in found.policies


@pytest.mark.parametrize(
    ("written", "param", "said"),
    [
        (tool(), "server_url", "server_url is missing, and the gateway has no server 'docs'"),
        (tool("wiki", server_url=URL), "server_label", "'wiki' is a server of the gateway; leave"),
        (tool("wiki", authorization=KEY), "authorization", "which has credentials of its own"),
        (tool("wiki", headers={"X-Key": KEY}), "headers", "which has credentials of its own"),
        (tool(connector_id="connector_gmail"), "connector_id", "only OpenAI runs connectors"),
        (tool(tunnel_id="tunnel_1"), "tunnel_id", "only OpenAI runs connectors and tunnels"),
        (tool("my docs", server_url=URL), "server_label", "1 to 64 letters, digits, `_` and `-`"),
        (tool("x" * 65, server_url=URL), "server_label", "1 to 64 letters, digits, `_` and `-`"),
        (
            tool(server_url=URL, authorization=KEY, headers={"authorization": KEY}),
            "authorization",
            "keep one of them",
        ),
        (tool(server_url=URL, authorization=f"{KEY}\r\nX: y"), "authorization", "cannot be sent"),
        (tool(server_url=URL, headers={"X-Key": f"{KEY}\n"}), "headers", "'X-Key' cannot be sent"),
        (tool(server_url=URL, headers={"X Key": KEY}), "headers", "'X Key' cannot be sent"),
        (tool(server_url=URL, headers={"": KEY}), "headers", "'' cannot be sent"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_member_that_is_wrong(
    written: McpTool, param: str, said: str
) -> None:
    place, message = refusal(written)
    assert place == param
    assert said in message
    assert KEY not in message


OURS = """
    Host connection Content-Length content-type Mcp-Session-Id MCP-Method Transfer-Encoding Accept
    Upgrade Proxy-Authorization TE Keep-Alive
"""


@pytest.mark.parametrize("name", OURS.split())
def test_headers_that_are_the_connections_own_are_refused(name: str) -> None:
    assert refusal(tool(server_url=URL, headers={name: "x"})) == (
        "headers",
        f"the header {name!r} is not yours to set",
    )


NO_URLS = [
    "ftp://x.example",
    "file:///etc/passwd",
    "x.example/mcp",
    "https://",
    "https:///mcp",
    "https://x.example:99999/",
    "https://[::1",
    "https://x .example",
    "https://x\\.example",
    "https://x.example/\n",
    "https://a\tb.example",
    "stdio:npx",
]


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_url_of_the_web_is_refused(url: str) -> None:
    param, message = refusal(tool(server_url=url))
    assert param == "server_url"
    assert "server_url is no URL" in message


@pytest.mark.parametrize("url", ["https://me@x.example", f"https://me:{KEY}@x.example/mcp"])
def test_a_url_holds_no_credential(url: str) -> None:
    param, message = refusal(tool(server_url=url))
    assert param == "server_url"
    assert "put the credential in authorization" in message
    assert KEY not in message


PRIVATE = [
    "http://127.0.0.1/mcp",
    "http://127.1",
    "http://2130706433",
    "http://0x7f.1",
    "http://017700000001",
    "http://[::1]:8080/mcp",
    "http://[::ffff:10.0.0.1]",
    "http://[fe80::1%25eth0]/",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1.",
    "http://0.0.0.0",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_are_refused_in_every_spelling(url: str) -> None:
    param, message = refusal(tool(server_url=url))
    assert param == "server_url"
    assert "which may not be used here" in message


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_are_fine_where_the_operator_says_so(url: str) -> None:
    endpoint = having(private=True).resolve(tool(server_url=url), "a").endpoint
    assert isinstance(endpoint, HttpEndpoint)
    assert endpoint.private


@given(
    st.text() | st.text().map("https://x.example/{}".format),
    st.text() | st.just("X-Key"),
    st.text(),
)
def test_whatever_a_client_writes_is_resolved_or_refused(url: str, name: str, value: str) -> None:
    written = McpTool(server_label="docs", server_url=url, headers={name: value})
    with contextlib.suppress(InvalidRequestError):
        endpoint = SERVERS.resolve(written, "a").endpoint
        assert isinstance(endpoint, HttpEndpoint)
        assert not {"\r", "\n", "\0"} & {*"".join((url, *endpoint.headers.values()))}
