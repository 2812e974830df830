"""The configuration file: LiteLLM's shape and ours, references, and every problem at once."""

import copy
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gateway.config import (
    Config,
    McpServer,
    Secret,
    ServerSettings,
    Timeouts,
    ToolSettings,
    cache_directory,
    default_config,
    environment,
    load,
    secret,
    state_directory,
)
from gateway.config.machine import _create_secret
from gateway.errors import ConfigError
from gateway.types.tools import McpApprovalPolicy, McpToolFilter

KEY = "invented-upstream-key"
MINIMAL: dict[str, Any] = {
    "model_list": [{"model_name": "fast", "params": {"model": "openai/gpt-4.1"}}]
}

# As the documentation of LiteLLM prints it.
PRINTED = """
model_list:
- model_name: openai/o1-pro
  litellm_params:
    model: openai/o1-pro
    api_key: os.environ/OPENAI_API_KEY
"""


class File:
    """Writes configuration files, and reads them as an operator's start would."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "config.yaml"

    def load(self, content: object, environment: Mapping[str, str] | None = None) -> Config:
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        self.path.write_text(text, "utf-8")
        return load(self.path, environment or {})

    def problems(self, content: object, environment: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as raised:
            self.load(content, environment)
        lines = raised.value.message.splitlines()
        assert all(line.startswith(f"{self.path}:") for line in lines)
        return [line.removeprefix(f"{self.path}:").strip() for line in lines]


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def with_model(**params: object) -> dict[str, Any]:
    """Return a file of one model with `params`."""
    content = copy.deepcopy(MINIMAL)
    content["model_list"][0]["params"].update(params)
    return content


def test_litellms_file_is_read_as_printed(file: File) -> None:
    [entry] = file.load(PRINTED, {"OPENAI_API_KEY": KEY}).models
    assert (entry.name, entry.model) == ("openai/o1-pro", "openai/o1-pro")
    assert entry.api_key is not None
    assert (entry.api_key.reveal(), entry.api_key.source) == (KEY, "os.environ/OPENAI_API_KEY")


def test_litellms_words_and_ours_mean_the_same(file: File) -> None:
    theirs = file.load(
        with_model(
            api_base="https://x.example/v1",
            extra_headers={"a": "b"},
            max_retries=3,
            timeout=7,
            drop_params=True,
        )
    )
    ours = file.load(
        with_model(
            base_url="https://x.example/v1",
            headers={"a": "b"},
            retries=3,
            timeouts={"first_byte": 7.0, "idle": 7.0},
            on_unsupported="drop",
        )
    )
    assert theirs.models == ours.models
    assert ours.models[0].timeouts == Timeouts(connect=10.0, first_byte=7.0, idle=7.0)


def test_what_litellm_says_to_one_vendor_are_settings_and_may_be_secret(file: File) -> None:
    litellms = """
    model_list:
    - model_name: nova
      litellm_params:
        model: bedrock/nova
        aws_region_name: eu-west-1
        aws_secret_access_key: os.environ/AWS_KEY
    - model_name: nova
      params:
        model: bedrock/nova
        settings: {aws_region_name: eu-west-1, aws_secret_access_key: os.environ/AWS_KEY}
    """
    config = file.load(litellms, {"AWS_KEY": KEY})
    theirs, ours = (entry.settings for entry in config.models)
    assert theirs == ours
    assert {name: secret.reveal() for name, secret in ours.items()} == {
        "aws_region_name": "eu-west-1",
        "aws_secret_access_key": KEY,
    }
    assert KEY not in repr(config)


def test_two_spellings_of_one_key_are_one_too_many(file: File) -> None:
    content = with_model(api_base="https://x.example", base_url="https://y.example")
    [problem] = file.problems(content)
    assert problem == (
        "model_list[0].params.base_url: says the same as model_list[0].params.api_base;"
        " keep one of them"
    )


def test_every_section_is_read(file: File, tmp_path: Path) -> None:
    content = {
        **MINIMAL,
        "server": {"host": "::1", "port": 0, "drain_seconds": 0},
        "plugins": {"block": ["local"]},
        "state": {"directory": str(tmp_path / "state"), "secret": "os.environ/SEALING"},
        "logging": {"level": "debug"},
    }
    config = file.load(content, {"SEALING": "x" * 32})
    assert config.server == ServerSettings(host="::1", port=0, drain_seconds=0.0)
    assert config.plugins.block == ("local",)
    assert config.state.directory == tmp_path / "state"
    assert config.state.secret.reveal() == "x" * 32
    assert config.logging.level == "debug"
    assert config.environment["SEALING"] == "x" * 32


@pytest.mark.parametrize(
    "section",
    ["server", "plugins", "state", "logging", "general_settings", "tools", "mcp_servers"],
)
def test_a_section_without_content_is_left_out(file: File, section: str) -> None:
    assert file.load({**MINIMAL, section: None}) == file.load(MINIMAL)


def test_references_are_replaced_wherever_a_string_stands(file: File) -> None:
    content = with_model(
        model="os.environ/MODEL",
        headers={"x-team": "os.environ/TEAM"},
        quirks={"deep": [{"er": "os.environ/TEAM"}]},
    )
    content["server"] = {"port": "os.environ/PORT", "host": "os.environ/HOST"}
    variables = {"MODEL": "openai/o3", "TEAM": "search", "PORT": "4001", "HOST": "::1"}
    config = file.load(content, variables)
    assert config.models[0].model == "openai/o3"
    assert config.models[0].headers == {"x-team": "search"}
    assert config.models[0].quirks == {"deep": [{"er": "search"}]}
    assert (config.server.port, config.server.host) == (4001, "::1")


@pytest.mark.parametrize("variables", [{}, {"NAME": ""}], ids=["unset", "empty"])
def test_a_missing_variable_is_named_with_the_path_of_its_key(
    file: File, variables: dict[str, str]
) -> None:
    content = with_model(headers={"x-team": "os.environ/NAME"})
    assert file.problems(content, variables) == [
        "model_list[0].params.headers.x-team: the environment variable NAME is not set,"
        " or is empty; export it"
    ]


def test_all_problems_are_reported_together(file: File) -> None:
    content = with_model(weight="heavy", api_key="os.environ/NAME")
    content.update(server={"prot": 1, "port": 70000}, logging={"level": "loud"}, serer={})
    assert file.problems(content) == [
        "serer: unknown key; did you mean `server`?",
        "model_list[0].params.api_key: the environment variable NAME is not set, or is empty;"
        " export it",
        "model_list[0].params.weight: expected a number from 0",
        "server.prot: unknown key; did you mean `port`?",
        "server.port: expected a port from 0 (any free one) to 65535",
        "logging.level: write one of debug, info, warning, error",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "model_list: is missing or empty; list at least one model"),
        ("[]", "expected keys and values, got a list"),
        ("model_list: {}", "model_list: expected a list, got keys and values"),
        ("model_list: [fast]", "model_list[0]: expected keys and values, got str"),
        ("model_list: [{params: {model: a/b}}]", "model_list[0].model_name: is missing"),
        ("model_list: [{model_name: a}]", "model_list[0].params: is missing"),
        ("model_list: [{model_name: a, params: {weight: 1}}]", "model_list[0].params.model: is m"),
        ("model_list: [{model_name: 7, params: {model: a}}]", "model_list[0].model_name: expected"),
        ("a: 1\na: 2\n", "2:1: is not valid YAML: the key `a` is written twice"),
        ("a: {b: 1, c: [}", "1:15: is not valid YAML"),
        ("a: \x07", "is not valid YAML"),
    ],
)
def test_a_file_of_the_wrong_shape_says_where_and_what(
    file: File, content: str, problem: str
) -> None:
    assert file.problems(content)[0].startswith(problem)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"weight": -1}, "weight: expected a number from 0"),
        ({"retries": 1.5}, "retries: expected a whole number from 0"),
        ({"launch": "never"}, "launch: write one of start, first_use"),
        ({"headers": {"a": 1}}, "headers[...]: expected str, got int"),
        ({"api_key": 123456}, "api_key: expected str, got int"),
        ({"timeout": 0}, "timeout.first_byte: expected seconds, more than 0"),
        ({"drop_params": "yes"}, "drop_params: write one of reject, drop"),
        ({"timeouts": {"read": 1}}, "timeouts.read: unknown key; known are connect, first_byte"),
        ({"base_url": "api.example.com"}, "base_url: expected a whole address such as https://"),
        ({"api_base": "https://me:pw@x.example"}, "api_base: expected a whole address such as"),
        ({"name": "other"}, "name: unknown key"),
    ],
)
def test_a_bad_parameter_says_what_to_write(
    file: File, params: dict[str, Any], problem: str
) -> None:
    assert file.problems(with_model(**params))[0].startswith(f"model_list[0].params.{problem}")


def test_litellms_settings_that_mean_nothing_here_are_named(file: File) -> None:
    content = with_model(rpm=10)
    content["model_list"][0]["model_info"] = {"id": "1", "mode": "chat", "base_model": "x"}
    content["litellm_settings"] = {"drop_params": True, "num_retries": 2}
    content["router_settings"] = None
    content["general_settings"] = {"database_url": "postgresql://", "master_key": "sk-invented"}
    problems = file.problems(content)
    unsupported = "is a LiteLLM setting that this gateway does not support; remove it"
    assert sorted(problems) == [
        f"general_settings.database_url: {unsupported}",
        f"litellm_settings.drop_params: {unsupported}",
        f"litellm_settings.num_retries: {unsupported}",
        f"model_list[0].model_info.base_model: {unsupported}",
        f"model_list[0].params.rpm: {unsupported}",
        f"router_settings: {unsupported}",
    ]


def test_a_key_is_known_by_its_digest_only(file: File) -> None:
    digest = hashlib.sha256(b"second").hexdigest()
    content = {
        **MINIMAL,
        "api_keys": [
            "os.environ/FIRST",
            {"name": "shop", "key": f"sha256:{digest}"},
            {"tenant": "shop", "key": "os.environ/THIRD"},
        ],
        "general_settings": {"master_key": "sk-fourth"},
    }
    entries = file.load(content, {"FIRST": "first", "THIRD": "third"}).api_keys
    keys = (b"first", b"second", b"third", b"sk-fourth")
    assert [entry.digest for entry in entries] == [hashlib.sha256(key).digest() for key in keys]
    assert [entry.tenant for entry in entries] == ["key-a7937b64", "shop", "shop", "master"]


@pytest.mark.parametrize(
    ("api_keys", "problem"),
    [
        (["plain-secret"], "api_keys[0]: a key does not belong in the file"),
        ([{"key": "plain-secret"}], "api_keys[0].key: a key does not belong in the file"),
        (["sha256:plain-secret"], "api_keys[0]: write 64 hexadecimal digits after `sha256:`"),
        ([{"tenant": "shop"}], "api_keys[0].key: is missing"),
        ([{"key": "os.environ/A", "tenant": ""}], "api_keys[0].tenant: expected a name"),
        ([{"key": 7}], "api_keys[0].key: expected str, got int"),
        ("os.environ/A", "api_keys: expected a list, got str"),
        (["os.environ/A", "os.environ/A"], "api_keys[1]: is the key of the tenant `key-"),
    ],
)
def test_a_bad_api_key_is_refused_and_not_repeated(
    file: File, api_keys: object, problem: str
) -> None:
    problems = file.problems({**MINIMAL, "api_keys": api_keys}, {"A": "plain-secret"})
    assert problems[0].startswith(problem)
    assert "plain-secret" not in "".join(problems)


def test_the_limits_of_tools_are_read(file: File) -> None:
    runners = {"search": {"url": "https://search.example", "key": "os.environ/A"}}
    content = {**MINIMAL, "tools": {"max_turns": 3, "seconds": 9, "runners": runners}}
    tools = file.load(content, {"A": KEY}).tools
    assert (tools.max_turns, tools.seconds, tools.call_seconds) == (3, 9.0, 60.0)
    assert tools.runners["search"]["key"].reveal() == KEY
    assert KEY not in repr(tools)
    assert file.load(MINIMAL).tools == ToolSettings()


def test_the_tools_of_a_model_are_run_where_the_operator_says(file: File) -> None:
    assert file.load(MINIMAL).models[0].tools == "upstream"
    assert file.load(with_model(tools="gateway")).models[0].tools == "gateway"


def with_server(**settings: object) -> dict[str, Any]:
    """Return a file of one MCP server, `docs`."""
    return {**MINIMAL, "mcp_servers": {"docs": settings}}


# As the documentation of LiteLLM shows them, with invented names.
LITELLMS_SERVERS = """
model_list: [{model_name: fast, params: {model: openai/a}}]
mcp_servers:
  docs:
    url: https://docs.example/mcp
  search:
    url: https://search.example/sse
    transport: sse
    auth_type: api_key
    auth_value: os.environ/A
    static_headers: {X-Team: search}
    description: finds things
    allowed_tools: [find]
  files:
    transport: stdio
    command: npx
    args: [-y, "@invented/files"]
    env: {TOKEN: os.environ/A}
"""


def test_litellms_servers_are_read_as_printed(file: File) -> None:
    docs, search, files = file.load(LITELLMS_SERVERS, {"A": KEY}).mcp_servers
    assert docs == McpServer(label="docs", url="https://docs.example/mcp")
    assert search == McpServer(
        label="search",
        url="https://search.example/sse",
        transport="sse",
        headers={"X-Team": Secret("search"), "X-API-Key": Secret(KEY)},
        description="finds things",
        allowed_tools=("find",),
    )
    assert search.headers["X-API-Key"].source == "os.environ/A"
    assert files == McpServer(
        label="files", command="npx", args=("-y", "@invented/files"), env={"TOKEN": Secret(KEY)}
    )
    assert KEY not in repr((docs, search, files))


@pytest.mark.parametrize(
    ("kind", "value", "headers"),
    [
        ("bearer_token", "k", {"Authorization": "Bearer k"}),
        ("bearer_token", "Bearer k", {"Authorization": "Bearer k"}),
        ("token", "k", {"Authorization": "token k"}),
        ("authorization", "Custom k", {"Authorization": "Custom k"}),
        ("basic", "me:pw", {"Authorization": "Basic bWU6cHc="}),
        ("api_key", "k", {"X-API-Key": "k"}),
    ],
)
@pytest.mark.parametrize("key", ["auth_value", "authentication_token"])
def test_litellms_ways_of_authentication_are_headers(
    file: File, kind: str, value: str, headers: dict[str, str], key: str
) -> None:
    content = with_server(url="https://x.example", auth_type=kind, **{key: value})
    [server] = file.load(content).mcp_servers
    assert {name: secret.reveal() for name, secret in server.headers.items()} == headers


def test_what_a_server_may_do_is_read_in_all_forms(file: File) -> None:
    content = with_server(
        url="https://x.example",
        allowed_tools={"tool_names": ["a"], "read_only": True},
        require_approval={"never": {"read_only": True}, "always": {"tool_names": ["b"]}},
        tenants=["shop"],
        timeout=3,
    )
    content["api_keys"] = [{"tenant": "shop", "key": "os.environ/A"}]
    [server] = file.load(content, {"A": KEY}).mcp_servers
    assert server.allowed_tools == McpToolFilter(tool_names=("a",), read_only=True)
    assert server.require_approval == McpApprovalPolicy(
        never=McpToolFilter(read_only=True), always=McpToolFilter(tool_names=("b",))
    )
    assert (server.tenants, server.timeout) == (("shop",), 3.0)
    [server] = file.load(with_server(url="https://x.example", require_approval="never")).mcp_servers
    assert server.require_approval == "never"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, ": write url, or command, and not both"),
        ({"url": "https://x.example", "command": "npx"}, ": write url, or command, and not both"),
        ({"command": "npx", "headers": {"a": "b"}}, ".headers: does not go with command; remove"),
        ({"url": "https://x.example", "env": {"a": "b"}}, ".env: does not go with url; remove it"),
        ({"url": "ftp://x.example"}, ".url: expected a whole address such as https://"),
        ({"url": "https://me:pw@x.example"}, ".url: expected a whole address such as https://"),
        ({"url": "https://x.example", "transport": "ws"}, ".transport: write one of http, sse"),
        ({"url": "https://x.example", "timeout": 0}, ".timeout: expected seconds, more than 0"),
        (
            {"url": "https://x.example", "alias": "d"},
            ".alias: is a LiteLLM setting that this gatew",
        ),
        ({"url": "https://x.example", "urll": "d"}, ".urll: unknown key; did you mean `url`?"),
        (
            {"url": "https://x.example", "auth_type": "oauth2"},
            ".auth_type: write one of none, bear",
        ),
        ({"url": "https://x.example", "auth_type": "basic"}, ".auth_type: goes with auth_value"),
        ({"url": "https://x.example", "auth_value": KEY}, ".auth_value: says nothing without auth"),
        (
            {"url": "https://x.example", "headers": {"a": f"{KEY}\n"}},
            ".headers: 'a' cannot be sent",
        ),
        ({"url": "https://x.example", "headers": {"a b": KEY}}, ".headers: 'a b' cannot be sent"),
        (
            {"url": "https://x.example", "authorization": KEY, "headers": {"Authorization": KEY}},
            ".headers: authorization is written twice; keep one of them",
        ),
        (
            {"url": "https://x.example", "require_approval": "sometimes"},
            ".require_approval: write one of always, never",
        ),
        (
            {"url": "https://x.example", "require_approval": {"never": {"names": ["a"]}}},
            ".require_approval.never.names: unknown key; did you mean `tool_names`?",
        ),
        (
            {"url": "https://x.example", "allowed_tools": {"tool_name": ["a"]}},
            ".allowed_tools.tool_name: unknown key; did you mean `tool_names`?",
        ),
        (
            {"url": "https://x.example", "tenants": ["shpo"]},
            ".tenants: nobody has a key of the tenant `shpo`; there are shop",
        ),
    ],
)
def test_a_bad_server_says_what_to_write(
    file: File, settings: dict[str, Any], problem: str
) -> None:
    keys = {"api_keys": [{"tenant": "shop", "key": "os.environ/A"}]}
    problems = file.problems({**with_server(**settings), **keys}, {"A": "a-key"})
    assert [line for line in problems if line.startswith(f"mcp_servers.docs{problem}")] == problems
    assert KEY not in "".join(problems)


@pytest.mark.parametrize("label", ["my docs", "a.b", "x" * 65, "ä", ""])
def test_a_label_is_what_every_client_can_write(file: File, label: str) -> None:
    content = {**MINIMAL, "mcp_servers": {label: {"url": "https://x.example"}}}
    [problem] = file.problems(content)
    assert problem.endswith("a label is 1 to 64 letters, digits, `_` and `-`; write another")


def test_servers_stand_by_their_labels(file: File) -> None:
    content = {**MINIMAL, "mcp_servers": [{"url": "https://x.example"}]}
    assert file.problems(content) == ["mcp_servers: expected keys and values, got a list"]
    assert file.problems({**MINIMAL, "mcp_servers": {"docs": None}}) == [
        "mcp_servers.docs: write url, or command, and not both"
    ]


def test_half_a_certificate_is_refused(file: File) -> None:
    problems = file.problems({**MINIMAL, "server": {"tls_key": "key.pem"}})
    assert problems == ["server: tls_certificate and tls_key go together; write both or neither"]


def test_a_broken_line_is_not_quoted_because_it_may_hold_a_key(file: File) -> None:
    [problem] = file.problems(f"general_settings: {{master_key: {KEY}: }}}}")
    assert KEY not in problem


def test_anchors_and_merge_keys_are_no_repetition(file: File) -> None:
    config = file.load("""
model_list:
  - {model_name: a, params: &shared {model: openai/a, weight: 2}}
  - {model_name: b, params: {<<: *shared, model: openai/b}}
""")
    assert [(entry.model, entry.weight) for entry in config.models] == [
        ("openai/a", 2.0),
        ("openai/b", 2.0),
    ]


def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yaml: cannot be read: No such file"):
        load(tmp_path / "missing.yaml", {})
    (tmp_path / "latin.yaml").write_bytes(b"model_list: \xe9")
    with pytest.raises(ConfigError, match=r"latin\.yaml: is not UTF-8 text"):
        load(tmp_path / "latin.yaml", {})


def test_no_secret_is_printed_or_encoded(file: File) -> None:
    config = file.load(with_model(api_key=KEY), {"OTHER": KEY})
    assert KEY not in repr(config)
    assert KEY not in str(config.models[0].api_key)
    with pytest.raises(TypeError):
        msgspec.json.encode(config)


def test_without_a_file_the_environment_is_all_there_is() -> None:
    config = default_config({"HOME": "/home/x", "GATEWAY_SECRET": "s" * 32})
    assert config.models == ()
    assert secret(config) == b"s" * 32
    assert config.state.directory == Path("/home/x/.local/state/responses-gateway")


@pytest.mark.parametrize(
    ("variables", "state", "cache"),
    [
        ({"GATEWAY_HOME": "/srv/g", "XDG_STATE_HOME": "/s"}, "/srv/g/state", "/srv/g/cache"),
        (
            {"XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/c"},
            "/s/responses-gateway",
            "/c/responses-gateway",
        ),
        (
            {"HOME": "/home/x"},
            "/home/x/.local/state/responses-gateway",
            "/home/x/.cache/responses-gateway",
        ),
    ],
    ids=["gateway_home", "xdg", "home"],
)
def test_directories_follow_the_environment(
    variables: dict[str, str], state: str, cache: str
) -> None:
    assert state_directory(variables) == Path(state)
    assert cache_directory(variables) == Path(cache)


def test_the_environment_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTED_FOR_THIS_TEST", KEY)
    assert environment()["INVENTED_FOR_THIS_TEST"] == KEY
    assert KEY not in repr(environment())


def kept_in(directory: Path) -> Config:
    return default_config({"GATEWAY_HOME": str(directory)})


def test_the_secret_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    made = secret(kept_in(tmp_path))
    path = tmp_path / "state" / "secret"
    assert secret(kept_in(tmp_path)) == made == path.read_bytes()
    assert len(made) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


def test_those_who_start_at_once_have_the_same_secret(tmp_path: Path) -> None:
    made = secret(kept_in(tmp_path))
    path = tmp_path / "state" / "secret"
    _create_secret(path)  # by a process that had looked before there was one
    assert secret(kept_in(tmp_path)) == made
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such modes")
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret(kept_in(tmp_path))
    path = tmp_path / "state" / "secret"
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="other users can read the secret; run `chmod 600"):
        secret(kept_in(tmp_path))


def test_a_secret_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"GATEWAY_SECRET.*fewer than 16 characters"):
        secret(default_config({"GATEWAY_SECRET": "short"}))
    secret(kept_in(tmp_path))
    (tmp_path / "state" / "secret").write_text("short")
    with pytest.raises(ConfigError, match="fewer than 16 characters"):
        secret(kept_in(tmp_path))


def test_a_state_directory_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the directory should be")
    with pytest.raises(ConfigError, match="the secret cannot be kept here"):
        secret(kept_in(tmp_path))


def test_deployments_with_the_same_key_are_equal(file: File) -> None:
    assert file.load(with_model(api_key=KEY)) == file.load(with_model(api_key=KEY))
    assert file.load(with_model(api_key=KEY)) != file.load(with_model(api_key="another"))
    assert len({Secret(KEY), Secret(KEY), Secret("another")}) == 2


def test_a_secret_says_where_it_was_read_and_whether_it_is_one() -> None:
    assert Secret("x", "os.environ/X").source == "os.environ/X"
    assert (bool(Secret("")), repr(Secret("")), repr(Secret("x"))) == (
        False,
        "Secret()",
        "Secret(***)",
    )
