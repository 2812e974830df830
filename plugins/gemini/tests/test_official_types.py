"""Whatever is asked, the types of Google's own SDK know what is sent, and it keeps its rules."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.testing.preparing import Prepared
from gateway.testing.probes import SAYINGS, SETTINGS
from gateway.testing.random_requests import random_requests
from gateway_gemini import GeminiDialect, InteractionsDialect
from tests.vendors.judging import judged

MODELS = (
    "gemini-3.5-flash",
    "gemini-3-pro-preview",
    "gemini-2.5-flash",
    "gemini-2.0-flash",
    "gemini-pro-latest",
)
DIALECTS = {
    "gemini": GeminiDialect(),
    "vertex": GeminiDialect(),
    "gemini_interactions": InteractionsDialect(),
}
CARRIERS = st.sampled_from(
    [
        {"next": "c2ln"},
        {"previous": "c2ln", "previous_length": 3},
        {"parts": [{"text": "", "thoughtSignature": "c2ln"}]},
        {
            "parts": [
                {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            ],
            "next": "c2ln",
        },
        {
            "parts": [
                {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {}}},
                {"toolResponse": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "response": {}}},
            ]
        },
    ]
).map(json.dumps)


@pytest.mark.parametrize("provider", DIALECTS)
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(request=random_requests(CARRIERS), model=st.sampled_from(MODELS))
def test_any_request_is_one_that_google_knows(
    provider: str, request: dict[str, Any], model: str, prepare: Callable[..., Prepared]
) -> None:
    dialect = DIALECTS[provider]
    options = {"provider": provider, "dialect": dialect, "on_unsupported": "drop"}
    judged(dialect, prepare(request, model=model, **options))


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "request_",
    [*SAYINGS.values(), *(one for setting in SETTINGS for one in setting.requests)],
)
def test_what_the_kit_asks_is_something_that_google_knows(
    provider: str, request_: dict[str, Any], model: str, prepare: Callable[..., Prepared]
) -> None:
    dialect = DIALECTS[provider]
    options = {"provider": provider, "dialect": dialect, "on_unsupported": "drop"}
    assert judged(dialect, prepare(request_, model=model, **options))
