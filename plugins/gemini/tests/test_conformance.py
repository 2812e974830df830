"""The dialect passes the kit: on invented exchanges and on recorded ones."""

from pathlib import Path

from gateway.testing import (
    DialectConformance,
    RecordedConformance,
    WithImages,
    WithParallelTools,
    WithReasoning,
    WithStructuredOutput,
)
from gateway_gemini import GeminiDialect

CASES = Path(__file__).parents[3] / "../shared/corpus/cases"


class TestConformance(
    WithParallelTools, WithReasoning, WithImages, WithStructuredOutput, DialectConformance
):
    dialect = GeminiDialect()
    corpus = Path(__file__).parent / "corpus"


class TestWholeAnswers(RecordedConformance):
    dialect = GeminiDialect()
    recordings = CASES
    api = "generate_content"


class TestStreams(RecordedConformance):
    dialect = GeminiDialect()
    recordings = CASES
    api = "stream_generate_content"
