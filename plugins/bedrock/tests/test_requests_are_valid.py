"""AWS's own description of Converse accepts every request that we write."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.testing.preparing import Prepared
from gateway.testing.probes import SAYINGS, SETTINGS
from gateway.testing.random_requests import random_requests
from tests.vendors.judging import judged

from .conftest import DIALECT, call_of

MODELS = (
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-sonnet-5",
    "us.amazon.nova-2-lite-v1:0",
    "openai.gpt-oss-120b-1:0",
    "qwen.qwen3-32b-v1:0",
    "meta.llama3-8b-instruct-v1:0",
    "vendor.some-model",
)
CARRIERS = st.lists(
    st.sampled_from(
        [
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
            {"reasoningContent": {"redactedContent": "b3BhcXVl"}},
        ]
    ),
    max_size=2,
).map(json.dumps)
CASES = sorted(Path(__file__).parent.glob("corpus/*/request.json"))
KNOWN: dict[str, dict[str, Any]] = {
    **SAYINGS,
    **{f"{one.path} {i}": dict(r) for one in SETTINGS for i, r in enumerate(one.requests)},
    **{path.parent.name: msgspec.json.decode(path.read_bytes()) for path in CASES},
}


def prepare(request: dict[str, Any], model: str) -> Prepared:
    """Return `request` less what `model` cannot honour."""
    call = call_of(request, model)
    relaxed = replace(call.deployment, on_unsupported="drop")
    return Prepared(DIALECT, replace(call, deployment=relaxed))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", KNOWN)
def test_requests_of_all_kinds_are_valid(name: str, model: str) -> None:
    judged(DIALECT, prepare(KNOWN[name], model))


@settings(max_examples=400, deadline=None)
@given(random_requests(CARRIERS), st.sampled_from(MODELS))
def test_whatever_is_asked_is_valid_or_refused(request: dict[str, Any], model: str) -> None:
    judged(DIALECT, prepare(request, model))
