"""The native dialect: where each operation goes, and with which headers."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import ConfigError, InvalidRequestError
from gateway.plugin import Deployment, NativeCall, Operation, Secret, UpstreamRequest
from gateway_openai import gateway_providers
from gateway_openai.dialect import ResponsesDialect

DIALECT = ResponsesDialect()
ROWS = {provider.name: provider for provider in gateway_providers()}


def encode(operation: Operation = "create", **more: Any) -> UpstreamRequest:
    """Encode a call to the provider `provider` at `base_url`, by default OpenAI's own."""
    row = ROWS[more.pop("provider", "openai")]
    deployment = Deployment(
        alias="alias",
        provider=row.name,
        model="gpt",
        account="account",
        base_url=more.pop("base_url", row.base_url),
        api_key=Secret("sk-secret"),
        quirks={**row.quirks, **more.pop("quirks", {})},
    )
    return DIALECT.encode(NativeCall(operation=operation, deployment=deployment, **more))


@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [
        ("create", "POST", "/responses"),
        ("retrieve", "GET", "/responses/resp_1"),
        ("delete", "DELETE", "/responses/resp_1"),
        ("cancel", "POST", "/responses/resp_1/cancel"),
        ("input_items", "GET", "/responses/resp_1/input_items"),
        ("compact", "POST", "/responses/compact"),
        ("input_tokens", "POST", "/responses/input_tokens"),
    ],
)
def test_each_operation_has_its_method_and_path(
    operation: Operation, method: str, path: str
) -> None:
    request = encode(operation, response_id="resp_1")
    assert request.method == method
    assert request.url == f"https://api.openai.com/v1{path}"


def test_the_body_passes_as_it_is() -> None:
    body = b'{"model":"gpt",  "unknown":1.0}'
    request = encode(body=body)
    assert request.body is body
    assert request.headers["content-type"] == "application/json"
    assert "content-type" not in encode("cancel", response_id="resp_1").headers


def test_the_query_passes_as_it_came() -> None:
    query = "include%5B%5D=a&include%5B%5D=b&starting_after=4&stream=true"
    url = encode("retrieve", response_id="resp_1", query=query).url
    assert url == f"https://api.openai.com/v1/responses/resp_1?{query}"


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    url = encode("retrieve", response_id="../models?a=b#c/d e").url
    assert url == "https://api.openai.com/v1/responses/..%2Fmodels%3Fa%3Db%23c%2Fd%20e"


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://localhost:1/v1/", "http://localhost:1/v1/responses?beta=true"),
        ("http://localhost:1", "http://localhost:1/responses?beta=true"),
        (
            "http://localhost:1/v1?team=a%2Fb",
            "http://localhost:1/v1/responses?team=a%2Fb&beta=true",
        ),
    ],
)
def test_a_base_url_keeps_its_own_query(base_url: str, url: str) -> None:
    assert encode(base_url=base_url, query="beta=true").url == url


@pytest.mark.parametrize(
    "base_url",
    [
        "https://r.openai.azure.com",
        "https://r.openai.azure.com/",
        "https://r.openai.azure.com/openai",
        "https://r.openai.azure.com/openai/",
        "https://r.openai.azure.com/openai/v1",
        "https://r.openai.azure.com/openai/v1/",
    ],
)
def test_azure_is_called_on_its_v1_path_however_the_endpoint_is_written(base_url: str) -> None:
    request = encode(provider="azure", base_url=base_url)
    assert request.url == "https://r.openai.azure.com/openai/v1/responses"


def test_azure_in_front_of_a_proxy_keeps_the_proxys_path() -> None:
    request = encode(provider="azure", base_url="https://proxy/team/azure")
    assert request.url == "https://proxy/team/azure/openai/v1/responses"


def test_an_api_version_is_added_unless_the_base_url_has_one() -> None:
    quirks = {"api_version": "preview"}
    plain = encode(provider="azure", base_url="https://r", quirks=quirks, query="stream=true")
    assert plain.url == "https://r/openai/v1/responses?api-version=preview&stream=true"
    own = encode(provider="azure", base_url="https://r?api-version=v1", quirks=quirks)
    assert own.url == "https://r/openai/v1/responses?api-version=v1"


def test_only_harmless_headers_of_the_client_pass() -> None:
    passing = {
        "accept": "text/event-stream",
        "idempotency-key": "i",
        "openai-beta": "b",
        "traceparent": "t",
        "tracestate": "s",
        "x-client-request-id": "c",
    }
    kept_back = {"authorization": "a", "cookie": "c", "x-stainless-os": "x", "host": "h"}
    headers = encode(headers=passing | kept_back).headers
    assert headers == passing | {"accept-encoding": "identity"}


def test_organization_and_project_come_from_the_deployment() -> None:
    headers = encode(quirks={"organization": "org-1", "project": "proj-1"}).headers
    assert headers["openai-organization"] == "org-1"
    assert headers["openai-project"] == "proj-1"


def test_the_credential_is_not_the_dialects() -> None:
    assert "sk-secret" not in repr(encode(body=b"{}"))


@pytest.mark.parametrize(
    ("provider", "operation"),
    [("xai", "cancel"), ("openrouter_responses", "retrieve"), ("vllm_responses", "compact")],
)
def test_an_operation_that_the_server_lacks_is_refused(provider: str, operation: Operation) -> None:
    with pytest.raises(InvalidRequestError, match=f"'{provider}' does not offer .*'{operation}'"):
        encode(operation, provider=provider)


def test_an_operator_can_say_that_a_server_offers_more() -> None:
    quirks = {"operations": ["create", "retrieve"]}
    request = encode("retrieve", provider="vllm_responses", quirks=quirks, response_id="r")
    assert request.url == "http://127.0.0.1:8000/v1/responses/r"


@pytest.mark.parametrize("quirks", [{"operations": ["fly"]}, {"api_verison": "v1"}])
def test_a_quirk_that_cannot_be_used_is_named(quirks: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the quirks of 'alias' cannot be used"):
        encode(quirks=quirks)
