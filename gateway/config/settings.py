"""The settings of one gateway, as the rest of the code sees them: checked and complete."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from gateway.types.tools import McpApprovalPolicy, McpToolFilter

__all__ = [
    "ApiKeyEntry",
    "Config",
    "Environment",
    "LoggingSettings",
    "McpServer",
    "ModelEntry",
    "Name",
    "PluginSettings",
    "Secret",
    "ServerSettings",
    "StateSettings",
    "Timeouts",
    "ToolSettings",
]

# The description is what the operator reads if a value does not fit.
Seconds = Annotated[float, Meta(gt=0, description="seconds, more than 0")]
Weight = Annotated[float, Meta(ge=0, description="a number from 0")]
Port = Annotated[int, Meta(ge=0, le=65535, description="a port from 0 (any free one) to 65535")]
Count = Annotated[int, Meta(ge=1, description="a whole number from 1")]
Retries = Annotated[int, Meta(ge=0, description="a whole number from 0")]
Name = Annotated[str, Meta(min_length=1, description="a name")]
Address = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s/@?#]+([/?#]\S*)?)?$",
        description="a whole address such as https://api.example.com/v1, without user or password",
    ),
]


class Secret:
    """A credential that cannot be printed, logged or encoded by accident.

    `reveal()` gives its text. `source` says where it was read, such as `os.environ/NAME`.
    """

    __slots__ = ("_text", "source")

    def __init__(self, text: str, source: str = "") -> None:
        self._text = text
        self.source = source

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"


class Environment(dict[str, str]):
    """Environment variables by name. Printing it tells how many there are, never what they hold."""

    def __repr__(self) -> str:
        return f"Environment({len(self)} variables)"


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds to wait for a connection, for the answer's first byte, and for each further byte."""

    connect: Seconds = 10.0
    first_byte: Seconds = 600.0
    idle: Seconds = 120.0


class ModelEntry(Struct, frozen=True, kw_only=True):
    """One entry of `model_list`: clients ask for `name`, which stands for `model`.

    `model` is `provider/upstream model`. `api_key` is None, and `base_url` empty, where the file
    leaves it to the provider's own environment variables. `settings` are those that the provider
    has, such as a region; any of them may be a secret. Of several entries with one name, each
    is tried first as often as its `weight` says; one of weight 0 only if the others fail.
    `launch` says when a provider that owns a process starts it. `account` names the account in
    the ids of responses; without it they depend on the base URL and on the key. `on_unsupported`
    says what becomes of a request with something that the model cannot be given: it is refused,
    or it goes on without that. `history` says who keeps responses and conversations, and `tools`
    who runs MCP servers and other tools, where the upstream could do it too.
    """

    name: Name
    model: Name
    api_key: Secret | None = None
    base_url: Address = ""
    headers: Mapping[str, str] = {}
    settings: Mapping[str, Secret] = {}
    quirks: Mapping[str, Any] = {}
    weight: Weight = 1.0
    timeouts: Timeouts = Timeouts()
    retries: Retries = 1
    launch: Literal["start", "first_use"] = "first_use"
    account: str = ""
    on_unsupported: Literal["reject", "drop"] = "reject"
    history: Literal["upstream", "gateway"] = "upstream"
    tools: Literal["upstream", "gateway"] = "upstream"


class ServerSettings(Struct, frozen=True, kw_only=True):
    """Where and how the server listens. `engine` is the library that speaks HTTP, `body_limit` is
    in bytes, `tls_…` are PEM files.
    """

    engine: Literal["hypercorn", "granian", "uvicorn"] = "hypercorn"
    host: str = "127.0.0.1"
    port: Port = 4000
    workers: Count = 1
    body_limit: Count = 32 * 1024 * 1024
    drain_seconds: Annotated[float, Meta(ge=0, description="seconds")] = 30.0
    keep_alive_seconds: Seconds = 15.0
    max_in_flight: Count = 1000
    tls_certificate: str | None = None
    tls_key: str | None = None


class ApiKeyEntry(Struct, frozen=True, kw_only=True):
    """A key that callers may send, known by its sha256 only, and the tenant that it stands for."""

    tenant: Name
    digest: bytes


class PluginSettings(Struct, frozen=True, kw_only=True):
    """`block` names the installed plugins that are not loaded."""

    block: tuple[str, ...] = ()


class StateSettings(Struct, frozen=True, kw_only=True):
    """What outlives a restart: `directory`, the `secret` that seals ids (or a file in it), and the
    store of responses.

    `store` is the kind of store: `sqlite` (a file in `directory`), `memory`, `none`, or what a
    plugin offers; `url` says where its server is. Responses are kept for `retention_days`, and an
    operation of the store may take `timeout` seconds. A node that has not been heard of for
    `lease_seconds` loses its work in the background to the others.
    """

    directory: Path
    secret: Secret
    store: Name = "sqlite"
    url: Secret = Secret("")
    retention_days: Annotated[float, Meta(gt=0, description="days, more than 0")] = 30.0
    timeout: Seconds = 10.0
    lease_seconds: Annotated[float, Meta(ge=3, description="seconds, 3 or more")] = 30.0


class ToolSettings(Struct, frozen=True, kw_only=True):
    """The limits of the tools that the gateway runs, and the settings of those who run them.

    One response takes at most `max_turns` calls of the model and `seconds`; one call of a tool
    `call_seconds`, and its output `result_bytes`, of which the rest is cut off. At most
    `parallel_calls` of one response run at once. `private_addresses` lets clients name servers on
    loopback, link-local and private addresses. `runners` are the settings of each runner by its
    name; any of them may be a secret.
    """

    max_turns: Count = 32
    seconds: Seconds = 600.0
    call_seconds: Seconds = 60.0
    result_bytes: Count = 1024 * 1024
    parallel_calls: Count = 8
    private_addresses: bool = False
    runners: Mapping[str, Mapping[str, Secret]] = {}


class McpServer(Struct, frozen=True, kw_only=True):
    """An MCP server of the operator's, which clients name by its `label` alone.

    It is reached at `url`, or started as `command` with `args` and `env` and spoken to over its
    standard streams. `transport` says how to speak to a URL: `http` is streamable HTTP, `sse` the
    older HTTP with server-sent events. `authorization` is a bearer token. Clients may narrow
    `allowed_tools`, and ask for more approvals than `require_approval`, never for fewer. Only
    `tenants` may use it; none named means all. `timeout` (seconds) is for listing its tools.
    """

    label: Name
    url: Address = ""
    transport: Literal["http", "sse"] = "http"
    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, Secret] = {}
    headers: Mapping[str, Secret] = {}
    authorization: Secret = Secret("")
    description: str = ""
    allowed_tools: tuple[str, ...] | McpToolFilter | None = None
    require_approval: Literal["always", "never"] | McpApprovalPolicy | None = None
    tenants: tuple[str, ...] = ()
    timeout: Seconds = 10.0


class LoggingSettings(Struct, frozen=True, kw_only=True):
    """`level` is the least severe level that is written."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(Struct, frozen=True, kw_only=True):
    """Everything that an operator decides.

    Without `models`, any `provider/model` goes to its provider.
    """

    state: StateSettings
    models: tuple[ModelEntry, ...] = ()
    server: ServerSettings = ServerSettings()
    api_keys: tuple[ApiKeyEntry, ...] = ()
    plugins: PluginSettings = PluginSettings()
    logging: LoggingSettings = LoggingSettings()
    tools: ToolSettings = ToolSettings()
    mcp_servers: tuple[McpServer, ...] = ()
    environment: Mapping[str, str] = Environment()
