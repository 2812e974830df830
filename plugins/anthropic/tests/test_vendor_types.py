"""Whatever is asked, the types of Anthropic's own SDK know what is sent."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.testing.preparing import Prepared
from gateway.testing.probes import SAYINGS, SETTINGS
from gateway.testing.random_requests import random_requests
from gateway_anthropic import AnthropicDialect
from tests.vendors.judging import judged

DIALECT = AnthropicDialect()
MODELS = (
    "claude-opus-5-5",
    "claude-opus-4-6",
    "claude-haiku-4-5-20251001",
    "claude-3-haiku-20240307",
)
CARRIERS = st.lists(
    st.sampled_from(
        [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "b3BhcXVl"},
        ]
    ),
    max_size=2,
).map(json.dumps)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(request=random_requests(CARRIERS), model=st.sampled_from(MODELS))
def test_any_request_is_one_that_the_vendor_knows(
    request: dict[str, Any], model: str, prepare: Callable[..., Prepared]
) -> None:
    for sent in judged(DIALECT, prepare(request, model=model, on_unsupported="drop")):
        samples = msgspec.json.decode(sent.body).keys() & {"temperature", "top_p"}
        older = sent.headers["anthropic-version"] == "2023-06-01"
        assert older == bool(samples)  # the newer has no such members


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "request_",
    [*SAYINGS.values(), *(one for setting in SETTINGS for one in setting.requests)],
)
def test_what_the_kit_asks_is_something_that_the_vendor_knows(
    request_: dict[str, Any], model: str, prepare: Callable[..., Prepared]
) -> None:
    judged(DIALECT, prepare(request_, model=model, on_unsupported="drop"))
