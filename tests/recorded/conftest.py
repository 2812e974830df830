"""The recorded traffic, replayed by the corpus's own server to a real gateway process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Container, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import httpx2
import openai
import pytest
import pytest_asyncio
from msgspec import Struct

from gateway.ids import Seal, account_of
from gateway.plugin import Call, Deployment, Dialect, Provider
from gateway.plugin.manager import Plugins
from gateway.testing import ScriptedUpstream
from gateway.types.request import Request

if TYPE_CHECKING:
    from tests.conftest import RunGateway

CORPUS = Path(__file__).parents[2] / "../shared/corpus"
SECRET = "a secret of the tests, long enough"
KEY = "sk-invented-upstream-key"
APIS = {"responses", "chat_completions"}
# The APIs of vendors that are not OpenAI-shaped, and who speaks them; how their addresses begin.
FAMILIES = {
    "messages": "anthropic",
    "generate_content": "gemini",
    "stream_generate_content": "gemini",
    "converse": "bedrock",
    "converse_stream": "bedrock",
}
ON_VERTEX = "/projects/"
BEGINNINGS = {
    "anthropic": "",
    "gemini": "/v1beta",
    "vertex": "/v1beta1/projects/PROJECT/locations/LOCATION/publishers/google",
    "bedrock": "",
}
MODEL_IN_PATH = re.compile(r"/models?/([^/]+?)(?:/converse|:\w*[gG]enerateContent)")
PROVIDERS = Plugins().providers()
CallOf = Callable[..., tuple[Dialect, Call]]
PIECES = "!chunk=16!seed=3"  # of random sizes up to 16 bytes


class Recording(Struct, frozen=True, kw_only=True):
    """One recorded exchange; `request` is None where it was not kept."""

    name: str
    meta: dict[str, Any]
    request: dict[str, Any] | None
    body: bytes

    @property
    def stream(self) -> bool:
        return self.meta["stream"]

    @property
    def good(self) -> bool:
        return self.meta["status"] == 200

    @property
    def provider(self) -> Provider:
        """The row of the vendor that was recorded, or the one for everything else."""
        if self.meta["api"] == "responses":
            return PROVIDERS["openai"]
        if ON_VERTEX in self.meta["path"]:
            return PROVIDERS["vertex"]
        if self.meta["api"] in FAMILIES:
            return PROVIDERS[FAMILIES[self.meta["api"]]]
        vendor = self.meta["provider"]
        rows = [PROVIDERS[name] for name in (f"{vendor}_chat", vendor) if name in PROVIDERS]
        chat = PROVIDERS["openai_compatible"]
        return next((row for row in rows if row.dialect == chat.dialect), chat)

    @property
    def think_tags(self) -> bool:
        """Say whether the vendor's reasoning stands in the text."""
        return self.provider.quirks.get("think_tags", "none") != "none"

    @property
    def model(self) -> str:
        """What the upstream was asked for."""
        if named := MODEL_IN_PATH.search(unquote(self.meta["path"])):
            return named[1]
        return (self.request or self.meta).get("model") or self.meta["model"]


class Sdk:
    """The official SDK's strict `stream()` helper, fed with bytes."""

    def __init__(self) -> None:
        self._body = b""
        transport = httpx2.MockTransport(self._answer)
        self._client = openai.OpenAI(
            base_url="http://upstream.test",
            api_key="none",
            http_client=httpx2.Client(transport=transport),
        )

    def read(self, body: bytes) -> tuple[list[str], dict[str, Any] | None]:
        """Return the types of the events and the final response, if the response completed."""
        self._body = body
        with self._client.responses.stream(model="m", input="hello") as stream:
            types = [event.type for event in stream]
            if "response.completed" not in types:
                return types, None
            return types, stream.get_final_response().to_dict()

    def accepts(self, body: bytes) -> bool:
        try:
            self.read(body)
        except (openai.OpenAIError, RuntimeError, LookupError, ValueError, AttributeError):
            return False
        return True

    def _answer(self, _: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=self._body)


class Proxied:
    """Asks the gateway for recordings, and knows what must become of their ids."""

    def __init__(self, gateway: str, replay: str) -> None:
        self._replay = replay
        self._client = httpx2.Client(base_url=f"{gateway}/v1", timeout=30)
        self._upstream = httpx2.Client(base_url=replay)
        self._seal = Seal(SECRET.encode())

    def close(self) -> None:
        self._client.close()
        self._upstream.close()

    def sealed(self, recording: Recording, upstream_id: str, *, pieces: bool = False) -> str:
        address = base_url(self._replay, recording, pieces=pieces)
        account = account_of(recording.provider.name, address, KEY)
        return self._seal.seal("default", account, upstream_id)

    def send(self, recording: Recording, *, pieces: bool = False) -> httpx2.Response:
        """Ask for `recording` as its client did, but for the names that are the gateway's."""
        if recording.meta["method"] == "GET":
            upstream_id = recording.meta["path"].rpartition("/")[2]
            identifier = self.sealed(recording, upstream_id, pieces=pieces)
            return self._client.get(f"/responses/{identifier}?{recording.meta['query']}")
        body = recording.request or {"input": "hello", "stream": is_stream_requested(recording)}
        body = {**body, "model": alias(recording, pieces=pieces)}
        if previous := body.get("previous_response_id"):
            body["previous_response_id"] = self.sealed(recording, previous, pieces=pieces)
        return self._client.post("/responses", json=body)

    def ask(self, recording: Recording, *, pieces: bool = False, **body: Any) -> httpx2.Response:
        """Ask something else of the upstream that answers with `recording`."""
        question = {"model": alias(recording, pieces=pieces), "input": "hello", **body}
        return self._client.post("/responses", json=question)

    def reached(self, recording: Recording) -> list[dict[str, Any]]:
        """Return what has reached the upstream of `recording`."""
        log = self._upstream.get("/__log").json()
        return [entry for entry in log if entry["case"] == recording.name]

    def forget(self) -> None:
        self._upstream.post("/__reset")


def is_stream_requested(recording: Recording) -> bool:
    return recording.stream or "stream_requested" in recording.meta["features"]


def alias(recording: Recording, *, pieces: bool = False) -> str:
    return f"{recording.name} in pieces" if pieces else recording.name


def base_url(replay: str, recording: Recording, *, pieces: bool = False) -> str:
    options = PIECES if pieces else ""
    beginning = BEGINNINGS.get(recording.provider.name, "/v1")
    return f"{replay}/case/{recording.name}{options}{beginning}"


def load(folder: Path) -> Recording:
    request = folder / "request.json"
    return Recording(
        name=folder.name,
        meta=json.loads((folder / "meta.json").read_bytes()),
        request=json.loads(request.read_bytes()) if request.exists() else None,
        body=(folder / "response.body").read_bytes(),
    )


def recordings(apis: Container[str] = APIS) -> Iterator[Recording]:
    for path in sorted(CORPUS.glob("cases/*/*/meta.json")):
        if json.loads(path.read_bytes())["api"] in apis:
            yield load(path.parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `recording` for each one of its module's API that it is `about`."""
    if "recording" not in metafunc.fixturenames:
        return
    module: Any = metafunc.module
    about: Callable[[Recording], bool] = module.ABOUT[metafunc.function.__name__]
    apis = {module.API} if isinstance(module.API, str) else set(module.API)
    chosen = [one for one in recordings(apis) if about(one)]
    skipped = pytest.mark.skip(reason="the corpus of recordings is not next to this checkout")
    metafunc.parametrize(
        "recording",
        [pytest.param(one, id=one.name) for one in chosen] or [pytest.param(None, marks=skipped)],
    )


@pytest.fixture(scope="session")
def replay() -> Generator[str]:
    """Run the corpus's server and return its address."""
    with replaying() as address:
        yield address


@pytest.fixture(scope="session")
def replay_anywhere() -> Generator[str]:
    """Run the corpus's server, which gives whole answers also to those who ask for a stream."""
    with replaying("--any-path") as address:
        yield address


@contextmanager
def replaying(*options: str) -> Generator[str]:
    command = [sys.executable, str(CORPUS / "replay.py"), "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process.stderr.readline().split()[-1]
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def proxied(replay: str, run_gateway: RunGateway) -> Generator[Proxied]:
    with proxying(replay, run_gateway, APIS) as asking:
        yield asking


@pytest.fixture(scope="session")
def families(replay_anywhere: str, run_gateway: RunGateway) -> Generator[Proxied]:
    """Return what asks for the recordings of the vendors that are not OpenAI-shaped."""
    with proxying(replay_anywhere, run_gateway, FAMILIES) as asking:
        yield asking


@contextmanager
def proxying(replay: str, run_gateway: RunGateway, apis: Container[str]) -> Generator[Proxied]:
    models = [
        {
            "model_name": alias(recording, pieces=pieces),
            "params": {
                "model": f"{recording.provider.name}/{recording.model}",
                "base_url": base_url(replay, recording, pieces=pieces),
                "api_key": KEY,
                "retries": 0,
            },
        }
        for recording in recordings(apis)
        for pieces in (False, True)
    ]
    with run_gateway({"model_list": models, "state": {"secret": SECRET}}) as gateway:
        asking = Proxied(gateway.url, replay)
        yield asking
        asking.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


def entry(name: str, provider: str, model: str, url: str) -> dict[str, Any]:
    """Return the configuration of a model whose far end is the scripted upstream at `url`."""
    base = f"{url}{BEGINNINGS[provider]}"
    params = {"model": f"{provider}/{model}", "base_url": base, "api_key": KEY, "retries": 0}
    return {"model_name": name, "params": params}


@asynccontextmanager
async def asking(
    run_gateway: RunGateway, models: list[dict[str, Any]]
) -> AsyncGenerator[openai.AsyncOpenAI]:
    """Yield the official client of a gateway that has these models."""
    with run_gateway({"model_list": models, "state": {"secret": SECRET}}) as gateway:
        address = f"{gateway.url}/v1"
        async with openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0) as client:
            yield client


@pytest.fixture(scope="session")
def everything() -> list[Recording]:
    return list(recordings()) or pytest.skip("the corpus is not next to this checkout")


@pytest.fixture(scope="session")
def call_of() -> CallOf:
    """Return a function that makes a call whose answer a recording is, and its dialect.

    The call is to a provider of the given name, or to the one that was recorded.
    """

    def make(recording: Recording, name: str | None = None) -> tuple[Dialect, Call]:
        provider = PROVIDERS[name] if name else recording.provider
        deployment = Deployment(
            alias=recording.name,
            provider=provider.name,
            model=recording.model,
            account="account",
            base_url="https://upstream.test/v1",
            quirks=provider.quirks,
        )
        request = Request(model=recording.name, input="hello")
        return cast("Dialect", provider.dialect), Call(
            request=request, model=recording.model, deployment=deployment
        )

    return make


@pytest.fixture(scope="session")
def sdk() -> Sdk:
    return Sdk()
