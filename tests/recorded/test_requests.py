"""What others have asked OpenAI is something that every other vendor's own types know, once it is
written for that vendor.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from gateway.plugin import Call, Deployment, Dialect
from gateway.testing.preparing import Prepared
from gateway.types.request import decode_request
from tests.vendors.judging import judged

from .conftest import PROVIDERS

if TYPE_CHECKING:
    from .conftest import Recording

API = "responses"
ABOUT = {"test_it_is_something_that_the_vendor_knows": lambda one: one.request is not None}
MODELS = (
    ("anthropic", "claude-opus-5-5"),
    ("anthropic", "claude-haiku-4-5-20251001"),
    ("gemini", "gemini-3.5-flash"),
    ("gemini", "gemini-2.5-flash"),
    ("vertex", "gemini-3.5-flash"),
    ("gemini_interactions", "gemini-3.5-flash"),
    ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("bedrock", "us.amazon.nova-2-lite-v1:0"),
)


def prepared(request: dict[str, Any], provider: str, model: str) -> Prepared:
    """Return `request` less what `model` cannot honour, and what another model has sealed."""
    given = request.get("input")
    if isinstance(given, list):
        given = [without_seal(item) for item in given]
    body = json.dumps({**request, "model": "m", "input": given}).encode()
    deployment = Deployment(
        alias="m",
        provider=provider,
        model=model,
        account="account",
        base_url="https://upstream.test",
        quirks=PROVIDERS[provider].quirks,
        on_unsupported="drop",
    )
    call = Call(request=decode_request(body), model=model, deployment=deployment)
    return Prepared(cast("Dialect", PROVIDERS[provider].dialect), call)


def without_seal(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "encrypted_content": None} if item.get("type") == "reasoning" else item


def is_sent(recording: Recording, provider: str, model: str) -> bool:
    """Judge what is sent, and say whether anything is: not what only OpenAI could do."""
    dialect = cast("Dialect", PROVIDERS[provider].dialect)
    return bool(judged(dialect, prepared(recording.request or {}, provider, model)))


each_model = pytest.mark.parametrize(("provider", "model"), MODELS)


@each_model
def test_it_is_something_that_the_vendor_knows(
    recording: Recording, provider: str, model: str
) -> None:
    is_sent(recording, provider, model)


@each_model
def test_nearly_all_of_it_can_be_sent(
    everything: list[Recording], provider: str, model: str
) -> None:
    asked = [one for one in everything if one.meta["api"] == API and one.request is not None]
    sent = [one for one in asked if is_sent(one, provider, model)]
    assert len(sent) > 0.85 * len(asked)
