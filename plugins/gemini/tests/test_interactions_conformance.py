"""The dialect of the Interactions API passes the kit, on invented exchanges."""

from pathlib import Path

from gateway.testing import (
    DialectConformance,
    WithImages,
    WithParallelTools,
    WithReasoning,
    WithStructuredOutput,
)
from gateway_gemini import InteractionsDialect


class TestConformance(
    WithParallelTools, WithReasoning, WithImages, WithStructuredOutput, DialectConformance
):
    dialect = InteractionsDialect()
    corpus = Path(__file__).parent / "interactions_corpus"
