"""The dialect passes the kit: on invented exchanges, on recorded ones, and as every family's."""

from pathlib import Path
from typing import ClassVar

from gateway.testing import (
    DialectConformance,
    RecordedConformance,
    RequestRules,
    WithImages,
    WithParallelTools,
    WithReasoning,
    WithStructuredOutput,
)
from gateway_bedrock import ConverseDialect

RECORDINGS = Path(__file__).parents[3] / "../shared/corpus/cases"


class TestConformance(
    WithParallelTools, WithReasoning, WithImages, WithStructuredOutput, DialectConformance
):
    dialect = ConverseDialect()
    corpus = Path(__file__).parent / "corpus"


class TestRecordings(RecordedConformance):
    dialect = ConverseDialect()
    recordings = RECORDINGS
    api = "converse"


class TestRecordedStreams(RecordedConformance):
    dialect = ConverseDialect()
    recordings = RECORDINGS
    api = "converse_stream"


class TestClaude(RequestRules):
    dialect = ConverseDialect()
    quirks: ClassVar = {"effort": "adaptive", "one_call": True, "cache": True}


class TestNova(RequestRules):
    dialect = ConverseDialect()
    quirks: ClassVar = {"effort": "nova", "cache": True, "system_tools": True}
