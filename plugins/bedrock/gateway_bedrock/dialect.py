"""The dialect `converse`: where requests go, and the joint of the other modules."""

import re
from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import quote

from gateway.errors import UpstreamError
from gateway.plugin import Call, Deployment, EventStream, Failure, UpstreamRequest, Verdict
from gateway.plugin.bodies import read_count
from gateway.plugin.names import told_names
from gateway.types.request import Request
from gateway_bedrock.check import SUPPORT, check
from gateway_bedrock.quirks import quirks_of
from gateway_bedrock.request import write_body, write_count
from gateway_bedrock.stream import ConverseTranslator, read_error

__all__ = ["ConverseDialect"]

_PROFILE = re.compile(r"(arn:.*/)?((us-gov|us|eu|apac|jp|au|ca|sa|global)\.)?")


class ConverseDialect:
    """Speaks ConverseStream as the quirks of the model say."""

    name: ClassVar[str] = "converse"
    support: ClassVar = SUPPORT

    def check(self, request: Request, deployment: Deployment, /) -> Iterator[Verdict]:
        return check(request, quirks_of(deployment))

    def encode(self, call: Call, /) -> UpstreamRequest:
        return _request(call, call.model, "converse-stream", write_body(call))

    def translator(self, call: Call, /) -> ConverseTranslator:
        return ConverseTranslator(told_names(call.request))

    def error(self, failure: Failure, /) -> UpstreamError:
        return read_error(failure)

    def encode_count(self, call: Call, /) -> UpstreamRequest:
        # An inference profile cannot be asked to count, only the model that it ends with.
        model = _PROFILE.sub("", call.model, count=1)
        return _request(call, model, "count-tokens", write_count(call))

    def read_count(self, body: bytes, /) -> int:
        return read_count(body, "inputTokens")


def _request(call: Call, model: str, operation: str, body: bytes) -> UpstreamRequest:
    url = f"{call.deployment.base_url}/model/{quote(model, safe='')}/{operation}"
    headers = {"content-type": "application/json"}
    return UpstreamRequest(url=url, body=body, headers=headers, framing=EventStream)
