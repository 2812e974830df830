"""The dialect of Anthropic's Messages API: the joint of request.py, check.py and stream.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from gateway.errors import UpstreamError
from gateway.plugin import Call, Deployment, Failure, SupportTable, UpstreamRequest, Verdict
from gateway.plugin.bodies import read_count
from gateway.types.request import Request
from gateway_anthropic.check import check
from gateway_anthropic.failures import rate_limits, read_error
from gateway_anthropic.quirks import quirks_of
from gateway_anthropic.request import count_request, write_request
from gateway_anthropic.stream import AnthropicTranslator
from gateway_anthropic.support import SUPPORT

__all__ = ["AnthropicDialect"]


class AnthropicDialect:
    """Speaks the Messages API as the model of the deployment does."""

    name: ClassVar[str] = "anthropic"
    support: ClassVar[SupportTable] = SUPPORT

    def check(self, request: Request, deployment: Deployment, /) -> Iterable[Verdict]:
        return check(request, quirks_of(deployment))

    def encode(self, call: Call, /) -> UpstreamRequest:
        return write_request(call)

    def translator(self, call: Call, /) -> AnthropicTranslator:
        return AnthropicTranslator(call)

    def error(self, failure: Failure, /) -> UpstreamError:
        return read_error(failure)

    def rate_limits(self, headers: Mapping[str, str], /) -> Mapping[str, str]:
        return rate_limits(headers)

    def encode_count(self, call: Call, /) -> UpstreamRequest:
        return count_request(call)

    def read_count(self, body: bytes, /) -> int:
        return read_count(body, "input_tokens")
