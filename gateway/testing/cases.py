"""Known exchanges in folders: cases that say what they expect, and recordings that do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from gateway.plugin import Call, Deployment, Failure, Secret
from gateway.types.request import Request, decode_request

__all__ = ["Case", "Recorded", "Recording", "call_of"]

_ASKED = Request(model="recorded", input="What was asked is not known.")


class Recorded(Struct, frozen=True, kw_only=True):
    """An upstream's answer: its body, and whether it is `whole` (JSON) or a stream."""

    name: str
    body: bytes
    whole: bool = False


class Case(Struct, frozen=True):
    """A folder of a corpus.

    * `request.json`: what the client asked.
    * `upstream.json`: what the upstream answered in one piece, and `upstream.sse`, or any other
      suffix, what it streamed. One of them, or both with the same content.
    * `events.jsonl`: what the client gets, one event on a line.
    * `quirks.json`, if the deployment has any.
    """

    path: Path

    @property
    def request(self) -> Request:
        return decode_request((self.path / "request.json").read_bytes())

    @property
    def call(self) -> Call:
        """The case's request on its way to an invented deployment."""
        quirks = self.path / "quirks.json"
        return call_of(
            self.request, msgspec.json.decode(quirks.read_bytes()) if quirks.exists() else {}
        )

    @property
    def recorded(self) -> tuple[Recorded, ...]:
        """The upstream's answers, streams first. Raises `FileNotFoundError` if there is none."""
        paths = sorted(self.path.glob("upstream.*"), key=lambda path: path.suffix == ".json")
        if not paths:
            raise FileNotFoundError(f"{self.path} has neither upstream.sse nor upstream.json")
        return tuple(_recorded(path, whole=path.suffix == ".json") for path in paths)

    @property
    def expected(self) -> Path:
        return self.path / "events.jsonl"


class Recording(Struct, frozen=True):
    """A folder with one recorded exchange of HTTP.

    * `meta.json`: `api`, `status`, `stream` (is the body a stream?), `response_headers`.
    * `response.body`: what the upstream answered.

    What it was asked is not read: it is in the upstream's own words.
    """

    path: Path

    @property
    def meta(self) -> Mapping[str, Any]:
        return msgspec.json.decode((self.path / "meta.json").read_bytes())

    @property
    def call(self) -> Call:
        return call_of(_ASKED, {})

    @property
    def recorded(self) -> tuple[Recorded, ...]:
        return (_recorded(self.path / "response.body", whole=not self.meta["stream"]),)

    @property
    def failure(self) -> Failure:
        """The answer as `Dialect.error` gets it; it has an error status."""
        headers = {name.lower(): text for name, text in self.meta["response_headers"].items()}
        body = (self.path / "response.body").read_bytes()
        return Failure(status=self.meta["status"], headers=headers, body=body)


def call_of(request: Request, quirks: Mapping[str, Any]) -> Call:
    """Return `request` on its way to an invented deployment."""
    deployment = Deployment(
        alias=request.model or "",
        provider="upstream",
        model="upstream-model",
        account="account",
        base_url="https://upstream.test/api",
        api_key=Secret("sk-this-key-must-stay-with-the-core"),
        quirks=quirks,
    )
    return Call(request=request, model=deployment.model, deployment=deployment)


def _recorded(path: Path, *, whole: bool) -> Recorded:
    return Recorded(name=f"{path.parent.name}/{path.name}", body=path.read_bytes(), whole=whole)
