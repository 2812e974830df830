"""What the tests share: requests in, bodies out that Google's own types know."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import pytest
from msgspec.structs import replace

from gateway.plugin import Call, Dialect, UpstreamRequest
from gateway.testing.cases import call_of
from gateway.testing.preparing import Prepared
from gateway.types.request import decode_request
from gateway_gemini import GeminiDialect
from tests.vendors.gemini import check_content

DIALECT = GeminiDialect()


def call_for(request: dict[str, Any], model: str, provider: str, quirks: dict[str, Any]) -> Call:
    body = msgspec.json.encode({"model": "alias", "input": "Hello", **request})
    call = call_of(decode_request(body), quirks)
    deployment = replace(call.deployment, model=model, provider=provider)
    return replace(call, model=model, deployment=deployment)


@pytest.fixture
def prepare() -> Callable[..., Prepared]:
    """Return a request, given without the model, as the core hands it over."""

    def run(
        request: dict[str, Any],
        *,
        model: str = "gemini-3.5-flash",
        provider: str = "gemini",
        dialect: Dialect = DIALECT,
        on_unsupported: Literal["reject", "drop"] = "reject",
        **quirks: Any,
    ) -> Prepared:
        call = call_for(request, model, provider, quirks)
        deployment = replace(call.deployment, on_unsupported=on_unsupported)
        return Prepared(dialect, replace(call, deployment=deployment))

    return run


@pytest.fixture
def send(prepare: Callable[..., Prepared]) -> Callable[..., UpstreamRequest]:
    """Write a request that must be accepted as a request to Google."""

    def run(request: dict[str, Any], **options: Any) -> UpstreamRequest:
        prepared = prepare(request, **options)
        assert prepared.rejected == []
        return prepared.encode()

    return run


@pytest.fixture
def encode(send: Callable[..., UpstreamRequest]) -> Callable[..., dict[str, Any]]:
    """Write a request that must be accepted, and return the body, which Google's types know."""

    def run(request: dict[str, Any], **options: Any) -> dict[str, Any]:
        body = msgspec.json.decode(send(request, **options).body)
        check_content(body)
        return body

    return run


@pytest.fixture
def judge(prepare: Callable[..., Prepared]) -> Callable[..., dict[str, str]]:
    """Check a request and return the action for each parameter that is not simply honoured."""

    def run(request: dict[str, Any], **options: Any) -> dict[str, str]:
        return {verdict.param: verdict.action for verdict in prepare(request, **options).verdicts}

    return run
