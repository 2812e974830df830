"""The dialect of the Interactions API: the joint of request.py, support.py and stream.py."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import msgspec

from gateway.errors import UpstreamError
from gateway.plugin import Call, Deployment, Failure, Translator, UpstreamRequest, Verdict
from gateway.plugin.content import parts_of
from gateway.plugin.support import SupportTable, rejected
from gateway.types.content import InputImage
from gateway.types.request import Request
from gateway_gemini.check import check
from gateway_gemini.failures import read_error
from gateway_gemini.framing import GeminiFraming
from gateway_gemini.interactions.request import write_interaction
from gateway_gemini.interactions.stream import InteractionsTranslator
from gateway_gemini.interactions.support import SUPPORT
from gateway_gemini.parts import ITS_FILES
from gateway_gemini.quirks import quirks_of

__all__ = ["InteractionsDialect"]

_REVISION = "2026-05-20"  # the latest that changed what goes over the wire


class InteractionsDialect:
    """Speaks the Interactions API, of which nothing is stored at Google's."""

    name: ClassVar[str] = "gemini_interactions"
    support: ClassVar[SupportTable] = SUPPORT

    def check(self, request: Request, deployment: Deployment, /) -> Iterator[Verdict]:
        yield from check(request, quirks_of(deployment), SUPPORT)
        for part, path, _ in parts_of(request):
            if isinstance(part, InputImage) and (part.image_url or "").startswith(ITS_FILES):
                yield rejected(f"{path}.image_url", "its type is not known here: send its data")

    def encode(self, call: Call, /) -> UpstreamRequest:
        return UpstreamRequest(
            url=f"{call.deployment.base_url}/interactions",
            headers={"content-type": "application/json", "api-revision": _REVISION},
            body=msgspec.json.encode(write_interaction(call)),
            framing=GeminiFraming,
        )

    def translator(self, call: Call, /) -> Translator:
        return InteractionsTranslator(call, partial(self.encode, call))

    def error(self, failure: Failure, /) -> UpstreamError:
        return read_error(failure)
