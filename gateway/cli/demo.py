"""`gateway demo`: ask the first model something through the public HTTP API, and show the answer.

The question comes from a thread of its own and over HTTP, like anybody else's: what the demo
shows is what a client would see.
"""

from __future__ import annotations

import http.client
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from threading import Thread
from typing import TextIO
from urllib.parse import urlsplit

from msgspec.structs import replace

from gateway.config import ApiKeyEntry, Config
from gateway.errors import ConfigError, GatewayError, UpstreamError, UpstreamProtocolError
from gateway.stream.sse import SSEDecoder
from gateway.types.content_events import OutputTextDelta
from gateway.types.events import (
    Event,
    ResponseCompleted,
    ResponseFailed,
    ResponseIncomplete,
    decode_event,
)

__all__ = ["Demo", "show"]

_QUESTION = "What is the capital of France? Answer in one sentence."
_LONGEST_ANSWER = 100
_SILENCE_SECONDS = 300.0
_CHUNK = 64 * 1024


class Demo:
    """Asks one question of a server that is about to start: `config` is what that must serve.

    Where the configuration guards the gateway, the demo has a key of its own for this one run.
    Raises `ConfigError` if there is no model that it can name, or if the server speaks TLS only.
    """

    def __init__(self, config: Config, terminal: TextIO = sys.stdout) -> None:
        if config.server.tls_certificate:
            raise ConfigError("the demo speaks plain http; run it with a configuration without TLS")
        names = [entry.name for entry in config.models if "*" not in entry.name]
        if not names:
            raise ConfigError("the demo needs a model_name without `*` that it can ask for")
        self._model = names[0]
        self._key = secrets.token_urlsafe() if config.api_keys else ""
        self._terminal = terminal
        self._thread: Thread | None = None
        self.config = replace(
            config,
            server=replace(config.server, workers=1),
            api_keys=(*config.api_keys, *_entries(self._key)),
            logging=replace(config.logging, level="warning"),  # no line in the middle of the answer
        )

    def begin(self, url: str) -> None:
        """Ask the server at `url`, in the background."""
        self._thread = Thread(target=self._run, args=(url,), name="demo")
        self._thread.start()

    def end(self) -> None:
        """Wait until the answer has ended, as it does when the server has."""
        if self._thread:
            self._thread.join()

    def _run(self, url: str) -> None:
        print(f"\nasking {self._model}: {_QUESTION}\n", file=self._terminal, flush=True)
        try:
            show(self._ask(url), self._terminal)
        except (GatewayError, OSError, http.client.HTTPException) as error:
            print(f"\nthere was no answer: {error}", file=self._terminal, flush=True)
            return
        for line in _next_steps(url, self._model, guarded=bool(self._key)):
            print(line, file=self._terminal, flush=True)

    def _ask(self, url: str) -> Iterator[Event]:
        address = urlsplit(url)
        question = {
            "model": self._model,
            "input": _QUESTION,
            "max_output_tokens": _LONGEST_ANSWER,
            "stream": True,
        }
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._key}"}
        connection = http.client.HTTPConnection(
            _reachable(address.hostname or ""), address.port, timeout=_SILENCE_SECONDS
        )
        with closing(connection):
            connection.request("POST", "/v1/responses", json.dumps(question), headers)
            response = connection.getresponse()
            if response.status != 200:
                raise UpstreamError(json.load(response)["error"]["message"])
            decoder = SSEDecoder()
            while chunk := response.read1(_CHUNK):
                for frame in decoder.feed(chunk):
                    if frame.data != b"[DONE]":
                        yield decode_event(frame.data)


def show(
    events: Iterable[Event], terminal: TextIO, clock: Callable[[], float] = time.monotonic
) -> None:
    """Write the text of `events` as it arrives, and then how long it took.

    `clock` counts seconds. Raises `UpstreamError` if the response fails.
    """
    began = clock()
    first = None
    for event in events:
        match event:
            case OutputTextDelta():
                first = first or clock()
                terminal.write(event.delta)
                terminal.flush()
            case ResponseCompleted() | ResponseIncomplete():
                usage = event.response.usage
                tokens = usage.output_tokens if usage else 0
                terminal.write(f"\n\n{_timing(began, first or clock(), clock(), tokens)}\n")
                return
            case ResponseFailed():
                error = event.response.error
                raise UpstreamError(error.message if error else "the response failed")
            case _:
                pass
    raise UpstreamProtocolError("the answer ended in the middle")


def _timing(began: float, first: float, end: float, tokens: int) -> str:
    # The first token is not part of the rate: it stands for the time that the prompt took.
    rate = (tokens - 1) / (end - first) if tokens > 1 and end > first else 0.0
    speed = f", {rate:.0f} tokens/s" if rate else ""
    return f"first token after {first - began:.2f} s, {tokens} tokens in {end - began:.2f} s{speed}"


def _entries(key: str) -> tuple[ApiKeyEntry, ...]:
    return (ApiKeyEntry(tenant="demo", digest=sha256(key.encode()).digest()),) if key else ()


def _reachable(host: str) -> str:
    """Return `host`, or this machine's own address where a server listens on every one."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _next_steps(url: str, model: str, *, guarded: bool) -> Iterator[str]:
    key = "$GATEWAY_KEY" if guarded else "anything"
    yield f"""
try next, with curl:

  curl -N {url}/v1/responses \\
    -H "authorization: Bearer {key}" -H "content-type: application/json" \\
    -d '{{"model": "{model}", "input": "Tell me a joke.", "stream": true}}'

or with the OpenAI SDK:

  from openai import OpenAI
  client = OpenAI(base_url="{url}/v1", api_key="{key}")
  print(client.responses.create(model="{model}", input="Tell me a joke.").output_text)

press Ctrl-C to stop"""
