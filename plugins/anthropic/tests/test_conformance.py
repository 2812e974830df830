"""The dialect passes the kit: on invented exchanges, and on recorded ones."""

from pathlib import Path

from gateway.testing import (
    DialectConformance,
    RecordedConformance,
    WithImages,
    WithParallelTools,
    WithReasoning,
    WithStructuredOutput,
)
from gateway_anthropic import AnthropicDialect


class TestConformance(
    WithParallelTools, WithReasoning, WithImages, WithStructuredOutput, DialectConformance
):
    dialect = AnthropicDialect()
    corpus = Path(__file__).parent / "corpus"


class TestRecordings(RecordedConformance):
    dialect = AnthropicDialect()
    recordings = Path(__file__).parents[3] / "../shared/corpus/cases"
    api = "messages"
