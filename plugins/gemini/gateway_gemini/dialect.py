"""The dialect of generateContent: the joint of request.py, check.py and stream.py."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from gateway.errors import UpstreamError
from gateway.plugin import Call, Deployment, Failure, Translator, UpstreamRequest, Verdict
from gateway.plugin.bodies import read_count
from gateway.plugin.support import SupportTable
from gateway.types.request import Request
from gateway_gemini.check import check
from gateway_gemini.failures import read_error
from gateway_gemini.framing import GeminiFraming
from gateway_gemini.quirks import quirks_of
from gateway_gemini.request import write_body
from gateway_gemini.stream import GeminiTranslator
from gateway_gemini.support import SUPPORT

__all__ = ["GeminiDialect"]


_COUNTED = ("contents", "systemInstruction", "tools", "generationConfig")


class GeminiDialect:
    """Speaks generateContent, as Google AI Studio and Vertex AI offer it."""

    name: ClassVar[str] = "gemini"
    support: ClassVar[SupportTable] = SUPPORT

    def check(self, request: Request, deployment: Deployment, /) -> Iterable[Verdict]:
        return check(request, quirks_of(deployment))

    def encode(self, call: Call, /) -> UpstreamRequest:
        return _ask(call, "streamGenerateContent?alt=sse", write_body(call))

    def translator(self, call: Call, /) -> Translator:
        return GeminiTranslator(call, partial(self.encode, call))

    def error(self, failure: Failure, /) -> UpstreamError:
        return read_error(failure)

    def encode_count(self, call: Call, /) -> UpstreamRequest:
        body = write_body(call)
        if call.deployment.provider == "gemini":
            body = {"generateContentRequest": {"model": f"models/{call.model}", **body}}
        else:
            body = {name: body[name] for name in _COUNTED if name in body}
        return _ask(call, "countTokens", body)

    def read_count(self, body: bytes, /) -> int:
        return read_count(body, "totalTokens")


def _ask(call: Call, method: str, body: dict[str, Any]) -> UpstreamRequest:
    # What clients may name freely must not lead elsewhere.
    model = quote(call.model.removeprefix("models/"), safe="@")
    return UpstreamRequest(
        url=f"{call.deployment.base_url}/models/{model}:{method}",
        headers={"content-type": "application/json"},
        body=msgspec.json.encode(body),
        framing=GeminiFraming,
    )
