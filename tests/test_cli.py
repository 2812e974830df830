"""The command line: what it accepts, what it prints, and with which code it exits."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from gateway.cli import main
from gateway.cli.arguments import parse
from gateway.cli.demo import Demo, show
from gateway.cli.download import ProgressBar, pull
from gateway.cli.explanation import explain, list_models, list_plugins
from gateway.config import Config, load
from gateway.errors import ConfigError, GatewayError, UpstreamError, UpstreamProtocolError
from gateway.plugin import Download, NoKey, Progress, Provider, ToolRunner, hookimpl
from gateway.plugin.manager import Plugins
from gateway.types.events import decode_event

ROOT = Path(__file__).parents[1]
KEY = "invented-upstream-key"


class FakeDialect:
    """Speaks to nobody."""

    name = "fake"


class FakePlugin:
    """Offers a provider of one's own, with a download."""

    __name__ = "fake"

    def __init__(self, *downloads: Download) -> None:
        self._downloads = downloads

    @hookimpl
    def gateway_providers(self) -> list[Provider]:
        dialect: Any = FakeDialect()
        address = "http://127.0.0.1:1/v1"
        return [
            Provider(
                name="fake",
                dialect=dialect,
                base_url=address,
                credentials=NoKey(),
                models=("tiny",),
                downloads=self._downloads,
            )
        ]


class FakeTools:
    """Offers to run MCP servers."""

    __name__ = "tools"
    types = frozenset({"mcp"})

    @hookimpl
    def gateway_tool_runners(self) -> list[ToolRunner]:
        runner: Any = self
        return [runner]


class Terminal(io.StringIO):
    """Text that believes to be on a screen."""

    def isatty(self) -> bool:
        return True


def plugins(*downloads: Download) -> Plugins:
    return Plugins(extra=[FakePlugin(*downloads)], entry_points=False)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def configured(directory: Path, rest: str = "", **environment: str) -> Config:
    models = "model_list: [{model_name: fast, params: {model: fake/tiny, api_key: os.environ/K}}]"
    path = written(directory / "config.yaml", f"{models}\n{rest}")
    return load(path, {"K": KEY, "GATEWAY_HOME": str(directory), **environment})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--config c.yaml", ("serve", "c.yaml", None, None, None)),
        ("-c c.yaml --host ::1 --port 0 --workers 2", ("serve", "c.yaml", "::1", 0, 2)),
        ("--config c.yaml --num_workers 2", ("serve", "c.yaml", None, None, 2)),
        ("check --config c.yaml", ("check", "c.yaml", None, None, None)),
        ("--config c.yaml check", ("check", "c.yaml", None, None, None)),
        ("--port 1 demo -c c.yaml", ("demo", "c.yaml", None, 1, None)),
        ("models", ("models", "", None, None, None)),
        ("plugins", ("plugins", "", None, None, None)),
    ],
)
def test_options_may_stand_before_or_after_the_command(line: str, expected: object) -> None:
    options = parse(line.split())
    found = (options.command, options.config, options.host, options.port, options.workers)
    assert found == expected


def test_pull_takes_the_name_of_a_model() -> None:
    options = parse(["models", "pull", "smollm2"])
    assert (options.command, options.name) == ("pull", "smollm2")


@pytest.mark.parametrize(
    "line", ["", "check", "demo", "-c c --port 70000", "-c c --port x", "-c c --workers 0", "serve"]
)
def test_a_wrong_command_line_exits_with_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(line.split())
    assert "usage: gateway" in capsys.readouterr().err


def test_help_shows_an_example_and_version_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "gateway --config config.yaml" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert re.fullmatch(r"gateway \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_check_explains_everything_but_the_key(tmp_path: Path) -> None:
    rest = "server: {host: '::1', port: 4001}\nplugins: {block: [local]}"
    assert list(explain(configured(tmp_path, rest), plugins())) == [
        "fast",
        "  provider  fake",
        "  model     tiny",
        "  address   http://127.0.0.1:1/v1",
        "  key       os.environ/K",
        "listens on http://[::1]:4001",
        "open: there are no api_keys, so only this machine may connect",
        "plugins not loaded: local",
    ]


def test_check_says_who_may_call(tmp_path: Path) -> None:
    rest = "api_keys: [{tenant: shop, key: os.environ/A}, {tenant: lab, key: os.environ/B}]"
    lines = list(explain(configured(tmp_path, rest, A="a-key", B="b-key"), plugins()))
    assert lines[-1] == "guarded: 2 API keys, of lab, shop"


SERVERS = """
mcp_servers:
  docs:
    url: https://docs.example/mcp?key=invented-secret
    authorization: os.environ/A
    headers: {X-Key: invented-secret}
    allowed_tools: [ask, find]
    require_approval: {never: {read_only: true}, always: {tool_names: [find]}}
    tenants: [shop]
  files: {command: npx, args: [--key, invented-secret], allowed_tools: {read_only: false}}
"""


def test_check_explains_the_servers_and_nothing_that_may_be_secret(tmp_path: Path) -> None:
    config = configured(tmp_path, SERVERS, A="invented-secret")
    loaded = Plugins(extra=[FakePlugin(), FakeTools()], entry_points=False)
    lines = list(explain(config, loaded))
    assert lines[5:-2] == [
        "MCP server docs",
        "  address   https://docs.example/mcp",
        "  key       os.environ/A",
        "  headers   X-Key",
        "  tools     ask, find",
        "  approval  always for find, never for all that only read",
        "  tenants   shop",
        "MCP server files",
        "  command   npx",
        "  tools     all that may write",
        "  approval  as the client says, always if it says nothing",
        "  tenants   all",
    ]
    assert "invented-secret" not in "".join(lines)


def test_check_wants_a_plugin_that_runs_the_servers(tmp_path: Path) -> None:
    config = configured(tmp_path, SERVERS, A="invented-secret")
    with pytest.raises(ConfigError, match="no plugin runs MCP servers; install gateway-mcp"):
        list(explain(config, plugins()))


def test_check_exits_with_1_and_names_each_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(
        tmp_path / "config.yaml",
        "model_list: [{model_name: a, params: {model: a/b, weigth: 1}}]\nsevrer: {}\n",
    )
    assert main(["check", "--config", str(path)]) == 1
    error = capsys.readouterr().err
    assert f"gateway: {path}: sevrer: unknown key; did you mean `server`?\n" in error
    assert f"gateway: {path}: model_list[0].params.weigth: unknown key" in error


def test_a_provider_that_nobody_offers_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "model_list: [{model_name: a, params: {model: loocal/b}}]"
    path = written(tmp_path / "config.yaml", text)
    assert main(["check", "--config", str(path)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("gateway: model 'a': no installed plugin offers the provider 'loocal'")


def test_serving_a_wrong_file_exits_with_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(tmp_path / "missing.yaml")]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("missing.yaml: cannot be read: No such file or directory")


def test_an_open_gateway_is_not_served_to_strangers(capsys: pytest.CaptureFixture[str]) -> None:
    quickstart = str(ROOT / "configs/quickstart.yaml")
    assert main(["--config", quickstart, "--host", "0.0.0.0"]) == 2
    assert "there are no api_keys" in capsys.readouterr().err


def test_models_are_those_of_the_file_or_those_of_the_plugins(tmp_path: Path) -> None:
    config = configured(tmp_path)
    offer = download(b"")
    assert list(list_models(config, plugins(offer))) == ["fast  ->  fake/tiny"]
    without = Config(state=config.state)
    assert list(list_models(without, plugins(offer))) == [
        "fake/tiny",
        "to pull: fake/tiny  an invented model (none)",
    ]


def test_plugins_are_listed_with_what_they_offer() -> None:
    assert list(list_plugins(plugins())) == ["fake  (built in): providers fake"]


def test_the_installed_plugins_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins"]) == 0
    assert "local  (gateway-local " in capsys.readouterr().out


def download(content: bytes) -> Download:
    def fetch(directory: Path, progress: Progress) -> Path:
        directory.mkdir(parents=True)
        for done in range(0, len(content) + 1, 500_000):
            progress(done, len(content))
        (directory / "model.gguf").write_bytes(content)
        return directory / "model.gguf"

    return Download(name="tiny", summary="an invented model", licence="none", fetch=fetch)


@pytest.mark.parametrize("name", ["tiny", "fake/tiny"])
def test_a_model_is_pulled_into_the_cache(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pull(name, plugins(download(b"x" * 1_000_000)).providers(), tmp_path / "cache")
    target = tmp_path / "cache" / "model.gguf"
    assert target.stat().st_size == 1_000_000
    captured = capsys.readouterr()
    assert captured.out.splitlines() == ["an invented model (none)", str(target)]
    assert captured.err == ""  # no terminal, no bar


def test_a_model_that_nobody_offers_is_not_pulled() -> None:
    with pytest.raises(ConfigError, match="no model called 'huge' can be pulled; known are fake/"):
        pull("huge", plugins(download(b"")).providers(), Path("unused"))


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the directory should be")
    with pytest.raises(GatewayError, match=r"cannot write into .*cache"):
        pull("tiny", plugins(download(b"")).providers(), tmp_path / "cache")


def test_the_bar_grows_to_its_end_on_a_terminal() -> None:
    terminal = Terminal()
    bar = ProgressBar(terminal)
    for done in (0, 50_000_000, 100_000_000):
        bar(done, 100_000_000)
    bar.end()
    assert terminal.getvalue().split("\r")[1:] == [
        f"[{'.' * 30}]   0%  0.0 of 100.0 MB",
        f"[{'#' * 15}{'.' * 15}]  50%  50.0 of 100.0 MB",
        f"[{'#' * 30}] 100%  100.0 of 100.0 MB\n",
    ]


def test_a_download_of_unknown_size_shows_what_is_there() -> None:
    terminal = Terminal()
    ProgressBar(terminal)(1_500_000, 0)
    assert terminal.getvalue() == "\r1.5 MB"


# Invented: the events of a short answer, as far as the demo reads them.
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": []}
ANSWER = [
    {"type": "response.created", "response": RESPONSE},
    *(
        {
            "type": "response.output_text.delta",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
        }
        for text in ("It is ", "Paris.")
    ),
    {
        "type": "response.completed",
        "response": {
            **RESPONSE,
            "usage": {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14},
        },
    },
]


def events(*facts: object) -> list[Any]:
    return [decode_event(json.dumps(fact).encode()) for fact in facts]


def test_the_answer_is_shown_with_its_timing() -> None:
    terminal, ticks = io.StringIO(), iter((10.0, 10.5, 12.5))
    show(events(*ANSWER), terminal, lambda: next(ticks))
    assert terminal.getvalue() == (
        "It is Paris.\n\nfirst token after 0.50 s, 5 tokens in 2.50 s, 2 tokens/s\n"
    )


def test_an_answer_that_fails_or_stops_is_no_answer() -> None:
    failed = {**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "oh"}}
    with pytest.raises(UpstreamError, match="oh"):
        show(events({"type": "response.failed", "response": failed}), io.StringIO())
    with pytest.raises(UpstreamProtocolError, match="ended in the middle"):
        show(events(*ANSWER[:2]), io.StringIO())


@contextmanager
def server(status: int, body: bytes) -> Generator[tuple[str, list[dict[str, Any]]]]:
    """Serve one answer to every request; yield the URL and what was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["content-length"]))
            asked.append({"key": self.headers["authorization"], **json.loads(question)})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", asked
        listening.shutdown()
        thread.join()


def asked_of(config: Config, url: str) -> str:
    terminal = io.StringIO()
    demo = Demo(config, terminal)
    demo.begin(url)
    demo.end()
    return terminal.getvalue()


def test_the_demo_asks_over_http_and_says_what_to_try_next(tmp_path: Path) -> None:
    frames = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in ANSWER)
    with server(200, frames + b"data: [DONE]\n\n") as (url, asked):
        said = asked_of(configured(tmp_path), url)
    assert [(question["model"], question["stream"]) for question in asked] == [("fast", True)]
    assert "It is Paris.\n\nfirst token after" in said
    assert f"curl -N {url}/v1/responses" in said
    assert f'OpenAI(base_url="{url}/v1"' in said


def test_a_demo_without_an_answer_says_why(tmp_path: Path) -> None:
    body = json.dumps({"error": {"message": "the provider is asleep"}}).encode()
    with server(503, body) as (url, _):
        said = asked_of(configured(tmp_path), url)
    assert "there was no answer: the provider is asleep" in said
    assert "there was no answer: " in asked_of(configured(tmp_path), "http://127.0.0.1:1")


def test_a_guarded_gateway_admits_its_own_demo(tmp_path: Path) -> None:
    config = configured(tmp_path, "api_keys: [os.environ/A]\nserver: {workers: 3}", A="a-key")
    demo = Demo(config, io.StringIO())
    assert (len(demo.config.api_keys), demo.config.server.workers) == (2, 1)
    with server(503, b'{"error": {"message": ""}}') as (url, asked):
        demo.begin(url)
        demo.end()
    key = asked[0]["key"].removeprefix("Bearer ")
    assert sha256(key.encode()).digest() == demo.config.api_keys[-1].digest


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("model_list: [{model_name: fake/*, params: {model: fake/*}}]", "without `\\*`"),
        (
            "model_list: [{model_name: a, params: {model: fake/a}}]\n"
            "server: {tls_certificate: c.pem, tls_key: k.pem}",
            "without TLS",
        ),
    ],
)
def test_a_demo_that_cannot_ask_says_so_before_it_starts(
    text: str, problem: str, tmp_path: Path
) -> None:
    config = load(written(tmp_path / "config.yaml", text), {})
    with pytest.raises(ConfigError, match=problem):
        Demo(config)


def test_the_gateway_says_where_it_runs_and_stops_quietly(tmp_path: Path) -> None:
    text = "model_list: [{model_name: a, params: {model: local/smollm2}}]"
    path = written(tmp_path / "config.yaml", text)
    command = [sys.executable, "-m", "gateway", "--config", str(path), "--port", "0"]
    environment = {**os.environ, "GATEWAY_HOME": str(tmp_path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(4)]
        found = re.fullmatch(r"running on (http://127\.0\.0\.1:\d+)", lines[0])
        assert found, process.communicate()
        with urlopen(f"{found[1]}/health/live") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "")
    assert process.returncode == 0
    assert lines[1:] == [
        "models: a",
        "open: there are no api_keys, so only this machine may connect",
        "press Ctrl-C to stop",
    ]
