"""The dialect `converse`: where requests go, and the joint of the other modules."""

import re
from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import quote

import msgspec

from gateway.errors import UpstreamError, UpstreamProtocolError
from gateway.plugin import Call, Deployment, Failure, SupportTable, UpstreamRequest, Verdict
from gateway.types.request import Request
from gateway_bedrock.check import SUPPORT, check
from gateway_bedrock.framing import EventStream
from gateway_bedrock.quirks import read_quirks
from gateway_bedrock.request import write_body, write_count
from gateway_bedrock.stream import ConverseTranslator, read_error

__all__ = ["ConverseDialect"]

_HEADERS = {"content-type": "application/json"}
_PROFILE = re.compile(r"(arn:.*/)?((us-gov|us|eu|apac|jp|au|ca|sa|global)\.)?")
"""What an inference profile has ahead of its model, which alone can be asked to count."""


class ConverseDialect:
    """Speaks ConverseStream as the quirks of the model say."""

    name: ClassVar[str] = "converse"
    support: ClassVar[SupportTable] = SUPPORT

    def check(self, request: Request, deployment: Deployment, /) -> Iterator[Verdict]:
        return check(request, read_quirks(deployment))

    def encode(self, call: Call, /) -> UpstreamRequest:
        url = _url(call, call.model, "converse-stream")
        return UpstreamRequest(
            url=url, body=write_body(call), headers=_HEADERS, framing=EventStream
        )

    def translator(self, call: Call, /) -> ConverseTranslator:
        return ConverseTranslator()

    def error(self, failure: Failure, /) -> UpstreamError:
        return read_error(failure)

    def encode_count(self, call: Call, /) -> UpstreamRequest:
        """Write the question how many input tokens `call` has."""
        url = _url(call, _PROFILE.sub("", call.model, count=1), "count-tokens")
        return UpstreamRequest(url=url, body=write_count(call), headers=_HEADERS)

    def read_count(self, body: bytes, /) -> int:
        """Return the number that was answered. Raises `UpstreamProtocolError`."""
        try:
            return msgspec.json.decode(body, type=dict[str, int])["inputTokens"]
        except (msgspec.DecodeError, KeyError) as error:
            raise UpstreamProtocolError("bedrock answered no number of tokens") from error


def _url(call: Call, model: str, operation: str) -> str:
    return f"{call.deployment.base_url}/model/{quote(model, safe='')}/{operation}"
