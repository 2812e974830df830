"""The Chat Completions dialect: the joint of request.py, check.py and stream.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from gateway.errors import UpstreamError
from gateway.plugin import Call, Deployment, Failure, Translator, UpstreamRequest, Verdict
from gateway.plugin.failures import read_failure
from gateway.plugin.support import SupportTable
from gateway.types.request import Request
from gateway_chat.address import completions_url
from gateway_chat.check import check
from gateway_chat.constrained import constrain, is_constrained
from gateway_chat.constrained_answer import ConstrainedTranslator
from gateway_chat.quirks import quirks_of
from gateway_chat.request import write_body
from gateway_chat.stream import ChatTranslator
from gateway_chat.support import SUPPORT
from gateway_chat.tools import check_choice

__all__ = ["ChatDialect"]


class ChatDialect:
    """Speaks Chat Completions as the quirks of the deployment say."""

    name: ClassVar[str] = "chat"
    support: ClassVar[SupportTable] = SUPPORT

    def check(self, request: Request, deployment: Deployment, /) -> Iterable[Verdict]:
        return check(request, quirks_of(deployment))

    def encode(self, call: Call, /) -> UpstreamRequest:
        quirks = quirks_of(call.deployment)
        check_choice(call.request)
        request = constrain(call.request) if quirks.tools == "constrained" else call.request
        return UpstreamRequest(
            url=completions_url(call.deployment.base_url, quirks),
            headers={"content-type": "application/json", "accept": "text/event-stream"},
            body=write_body(call, request, quirks),
        )

    def translator(self, call: Call, /) -> Translator:
        quirks = quirks_of(call.deployment)
        translator = ChatTranslator(quirks, call.deployment.provider, call.request)
        if quirks.tools == "constrained" and is_constrained(call.request):
            return ConstrainedTranslator(translator)
        return translator

    def error(self, failure: Failure, /) -> UpstreamError:
        return read_failure(failure)
