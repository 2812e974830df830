"""Credentials: wherever a server puts them, no file, log, answer or event of the gateway has them.

The servers repeat every header that they get in everything that they say.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from gateway.testing import Received, Script, json_answer

if TYPE_CHECKING:
    from gateway.testing import ScriptedUpstream
    from tests.conftest import GatewayProcess

    from .conftest import Approve, Caller, McpPeer, OpenVault, Told

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = "invented/visitors.token+0003=="
HEADER = "invented-visitors-key-0004"
PASSWORD = "invented-password-0005"
QUERY = "invented-query-0006"
VISITORS = (TOKEN, HEADER, PASSWORD, QUERY)


class Parrot:
    """Has a server repeat the headers of each request in what it `repeats`."""

    def __init__(self, server: McpPeer, network: ScriptedUpstream) -> None:
        self._server = server
        self._headers: Mapping[str, str] = {}
        self._query = ""
        network.handle(server.url.removeprefix(network.url), self._answer)

    def _answer(self, received: Received) -> Script:
        self._headers, self._query = received.headers, received.query
        return self._server.answer(received)

    @property
    def words(self) -> str:
        sent = {name: self._headers.get(name, "") for name in ("authorization", "x-api-key")}
        return f"you sent {json.dumps(sent)} ?{self._query} {' '.join(sent.values())}"

    def output(self, message: dict[str, Any]) -> Script:
        content = [{"type": "text", "text": self.words}, {"type": "x", self.words: self.words}]
        return self._server.result(message, content=content)

    def structured(self, message: dict[str, Any]) -> Script:
        return self._server.result(message, content=[], structuredContent={"a": self.words})

    def failure(self, message: dict[str, Any]) -> Script:
        content = [{"type": "text", "text": self.words}, {"type": "x", self.words: self.words}]
        return self._server.result(message, content=content, isError=True)

    def error(self, message: dict[str, Any]) -> Script:
        error = {"code": -32000, "message": self.words, "data": self.words}
        return json_answer({"jsonrpc": "2.0", "id": message["id"], "error": error})

    def status(self, message: dict[str, Any]) -> Script:
        return json_answer({"error": self.words}, status=500, headers={"x-error": "x"})

    def unauthorized(self, message: dict[str, Any]) -> Script:
        return Script(status=401, headers={"www-authenticate": self.words}, body=(b"no",))

    def garbage(self, message: dict[str, Any]) -> Script:
        return Script(headers={"content-type": "application/json"}, body=(self.words.encode(),))

    def redirection(self, message: dict[str, Any]) -> Script:
        where = f"http://elsewhere.test/?{quote(self.words)}"
        return Script(status=307, headers={"location": where})

    def listing(self, message: dict[str, Any]) -> Script:
        [tool, *_] = self._server.tools
        schema = {**tool["inputSchema"], "description": self.words}
        described = {**tool, "description": self.words, "inputSchema": schema}
        return self._server.result(message, tools=[described], ttlMs=0)


CALLS = ["output", "structured", "failure", "error", "status", "unauthorized", "garbage"]
LISTS = ["error", "status", "unauthorized", "garbage", "redirection", "listing"]
SAYINGS = [
    *(("tools/call", name) for name in (*CALLS, "redirection")),
    *(("tools/list", name) for name in LISTS),
    *(("server/discover", name) for name in ("unauthorized",)),
]


@pytest.fixture(params=SAYINGS, ids=lambda saying: " ".join(saying))
def saying(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Return at which method a server says too much, and how."""
    return request.param


def spellings(secrets: Iterable[str]) -> list[str]:
    """Return `secrets` as they may be written in JSON and in URLs, too."""
    return [one for secret in secrets for one in (secret, quote(secret, safe=""))]


def assert_silent(text: str, secrets: Iterable[str]) -> None:
    for secret in spellings(secrets):
        assert secret not in text
        assert secret not in text.replace("\\/", "/")


def written(gateway: GatewayProcess) -> bytes:
    """Return all that the gateway has in files, its log included, but for its configuration."""
    files = gateway.log_path.parent.rglob("*")
    return b"".join(
        path.read_bytes() for path in files if path.is_file() and path.name != "gateway.yaml"
    )


def visitors(server: McpPeer, **members: Any) -> dict[str, Any]:
    """Return a tool with credentials in all its places."""
    return server.tool(
        server_url=f"{server.url}?key={QUERY}",
        authorization=TOKEN,
        headers={"x-api-key": HEADER},
        **members,
    )


async def everything(caller: Caller, told: Told) -> str:
    """Return all that the gateway says of a response."""
    texts = [told.text]
    if name := told.body.get("id"):
        path = f"/responses/{name}"
        found = [
            await caller.http.get(path),
            await caller.http.get(path, params={"stream": True}),
            await caller.http.get(f"{path}/input_items", params={"limit": 100}),
        ]
        texts += [f"{answer.headers} {answer.text}" for answer in found]
    return "\n".join(texts)


async def test_what_a_client_sends_for_its_server_is_used_and_kept_nowhere(
    saying: tuple[str, str],
    alpha: Caller,
    server: McpPeer,
    network: ScriptedUpstream,
    stream: bool,
) -> None:
    method, name = saying
    server.says[method] = getattr(Parrot(server, network), name)
    tools = [visitors(server, require_approval="never")]
    told = await alpha.send("echo {}", tools=tools, stream=stream)
    assert server.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
    assert server.requests[-1].headers["x-api-key"] == HEADER
    assert_silent(await everything(alpha, told), VISITORS)


async def test_what_the_operator_has_for_a_server_is_told_to_nobody(
    saying: tuple[str, str],
    alpha: Caller,
    open_vault: OpenVault,
    keys: Mapping[str, str],
    network: ScriptedUpstream,
) -> None:
    method, name = saying
    label = f"spare{SAYINGS.index(saying)}"  # one that has failed is left alone for a while
    server = open_vault(label)
    server.says[method] = getattr(Parrot(server, network), name)
    tools = [{"type": "mcp", "server_label": label}]
    told = await alpha.send("echo {}", tools=tools, stream=True)
    assert server.requests[-1].headers["authorization"] == f"Bearer {keys['token']}"
    assert_silent(await everything(alpha, told), keys.values())


async def test_credentials_of_approved_calls_come_from_the_client_each_time(
    alpha: Caller, server: McpPeer, approve: Approve, network: ScriptedUpstream
) -> None:
    server.says["tools/call"] = Parrot(server, network).output
    asked = await alpha.ask("echo {}", tools=[visitors(server)])
    said: dict[str, Any] = {"previous_response_id": asked.body["id"]}
    bare = {**visitors(server), "authorization": None, "headers": None}
    first = await alpha.send([approve(asked)], tools=[bare], **said)
    assert "authorization" not in server.requests[-1].headers
    assert_silent(await everything(alpha, first), VISITORS)


@pytest.mark.parametrize("path", ["/responses/input_tokens", "/responses", "/responses/compact"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"server_url": f"http://user:{PASSWORD}@docs.test/"},
        {"server_url": f"docs.test?{QUERY}"},
        {"headers": {"x": f"{HEADER}\r\nhost: x"}},
        {"headers": {f"x {HEADER}": "y"}},
        {"headers": {"host": HEADER}},
        {"headers": {"authorization": HEADER}, "authorization": TOKEN},
        {"headers": [HEADER]},
        {"headers": {"x": [HEADER]}},
        {"authorization": {"token": TOKEN}},
        {"authorization": f"{TOKEN}\n"},
        {"connector_id": "connector_x", "authorization": TOKEN},
        {"allowed_tools": 7, "authorization": TOKEN},
        {"server_label": "vault", "authorization": TOKEN},
        {"server_label": "vault", "server_url": None, "authorization": TOKEN},
    ],
)
async def test_what_is_wrong_is_told_without_what_is_secret(
    wrong: dict[str, Any], path: str, alpha: Caller, server: McpPeer
) -> None:
    asked = {"model": "stella", "input": "echo {}", "tools": [{**server.tool(), **wrong}]}
    answer = await alpha.http.post(path, json=asked)
    assert path != "/responses" or answer.status_code == 400, answer.text
    # The name of a header is no secret, and says which one is wrong.
    secrets = VISITORS if f"x {HEADER}" not in str(wrong) else (TOKEN, PASSWORD, QUERY)
    assert_silent(f"{answer.headers} {answer.text}", secrets)


async def test_work_in_the_background_takes_credentials_along_sealed(
    gateway: GatewayProcess, alpha: Caller, server: McpPeer, network: ScriptedUpstream
) -> None:
    """While the work is under way the store has them, to survive a crash: unreadable."""
    gate = asyncio.Event()
    parrot = Parrot(server, network)

    def slowly(message: dict[str, Any]) -> Script:
        answer = parrot.output(message)
        return Script(headers=answer.headers, body=(gate, *answer.body))

    server.says["tools/call"] = slowly
    tools = [visitors(server, require_approval="never")]
    queued = await alpha.send("echo {}", tools=tools, background=True)
    while not server.calls:
        await network.received()
    assert_silent(written(gateway).decode("latin-1"), VISITORS)
    gate.set()
    path = f"/responses/{queued.body['id']}"
    await alpha.http.get(path, params={"stream": True})  # until it is over
    response = (await alpha.http.get(path)).json()
    assert response["status"] == "completed"
    assert response["output"][1]["output"].count("***") >= 2
    assert_silent(await everything(alpha, queued), VISITORS)


async def test_no_file_of_the_gateway_has_a_credential(
    gateway: GatewayProcess,
    alpha: Caller,
    server: McpPeer,
    network: ScriptedUpstream,
    keys: Mapping[str, str],
) -> None:
    """Not the store, nor its log of writes, nor the log at its most talkative."""
    parrot = Parrot(server, network)
    server.says["tools/call"] = parrot.output
    conversation = (await alpha.http.post("/conversations", json={})).json()["id"]
    tools = [visitors(server, require_approval="never")]
    told = await alpha.ask("echo {}", tools=tools, conversation=conversation)
    items = await alpha.http.get(f"/conversations/{conversation}/items")
    assert_silent(items.text, VISITORS)
    found = written(gateway).decode("latin-1")
    assert told.body["id"] in found  # so it is there that things are kept
    assert_silent(found, (*VISITORS, *keys.values()))


async def test_the_echo_of_a_request_names_no_credential(
    alpha: Caller, server: McpPeer, stream: bool
) -> None:
    told = await alpha.ask("hello", tools=[visitors(server)], stream=stream)
    [tool] = told.body["tools"]
    assert tool["server_url"].startswith(server.url)
    assert not tool.get("authorization")
    assert not tool.get("headers")
    assert_silent(told.text, VISITORS)
