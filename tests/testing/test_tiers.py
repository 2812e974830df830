"""A tier that is promised and never shown is a failure that says what is missing."""

from pathlib import Path
from typing import Any

import pytest

from gateway.testing import (
    DialectConformance,
    WithImages,
    WithParallelTools,
    WithReasoning,
    WithStructuredOutput,
    WithTools,
)
from gateway_chat import ChatDialect

PROMISES: dict[type[DialectConformance], tuple[str, str]] = {
    WithTools: ("test_a_case_calls_a_function", "an answer with a function call"),
    WithParallelTools: (
        "test_a_case_calls_functions_at_once",
        "an answer with several function calls",
    ),
    WithReasoning: ("test_a_case_shows_reasoning", "an answer with reasoning"),
    WithImages: ("test_a_case_asks_about_an_image", "an image"),
    WithStructuredOutput: ("test_a_case_answers_by_a_schema", "an answer that follows a schema"),
}
ABILITIES: dict[type[DialectConformance], tuple[dict[str, Any], str]] = {
    WithTools: ({"tools": "none"}, "test_functions_and_their_calls_are_accepted"),
    WithReasoning: ({"effort": "none"}, "test_the_effort_is_accepted"),
    WithImages: ({"images": "none"}, "test_images_are_accepted"),
    WithStructuredOutput: ({"response_format": "text"}, "test_a_schema_is_accepted"),
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus of one invented exchange of words."""
    case = tmp_path / "words"
    case.mkdir()
    (case / "request.json").write_text('{"model": "some", "input": "Hello"}')
    (case / "upstream.json").write_text(
        '{"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}'
    )
    return tmp_path


def suite(tier: type[DialectConformance], corpus: Path, **quirks: Any) -> Any:
    members = {"dialect": ChatDialect(), "corpus": corpus, "quirks": quirks}
    return type("Suite", (tier,), members)()


@pytest.mark.parametrize("tier", PROMISES, ids=lambda tier: tier.__name__)
def test_a_tier_demands_a_case(tier: type[DialectConformance], corpus: Path) -> None:
    name, wanted = PROMISES[tier]
    with pytest.raises(AssertionError, match=f"no case in .* has {wanted}: add one"):
        getattr(suite(tier, corpus), name)()


@pytest.mark.parametrize("tier", ABILITIES, ids=lambda tier: tier.__name__)
def test_a_tier_demands_that_its_requests_are_accepted(
    tier: type[DialectConformance], corpus: Path
) -> None:
    quirks, name = ABILITIES[tier]
    getattr(suite(tier, corpus), name)()
    with pytest.raises(pytest.fail.Exception, match=r"\((reject|drop)\)"):
        getattr(suite(tier, corpus, **quirks), name)()
