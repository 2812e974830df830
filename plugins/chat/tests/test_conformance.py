"""The dialect passes the kit: on invented exchanges, on recorded ones, and as every vendor's."""

from pathlib import Path

from gateway.testing import (
    DialectConformance,
    RecordedConformance,
    RequestRules,
    WithImages,
    WithParallelTools,
    WithReasoning,
    WithStructuredOutput,
)
from gateway_chat import ChatDialect
from gateway_chat.rows import VENDORS


class TestConformance(
    WithParallelTools, WithReasoning, WithImages, WithStructuredOutput, DialectConformance
):
    dialect = ChatDialect()
    corpus = Path(__file__).parent / "corpus"


class TestRecordings(RecordedConformance):
    dialect = ChatDialect()
    recordings = Path(__file__).parents[3] / "../shared/corpus/cases"
    api = "chat_completions"


IGNORES = {"mistral": {"input[].call_id": "it takes only ids of nine letters and digits"}}

for vendor in VENDORS:
    globals()[f"Test_{vendor.name}"] = type(
        f"Test_{vendor.name}",
        (RequestRules,),
        {
            "dialect": ChatDialect(),
            "quirks": vendor.quirks,
            "ignores": IGNORES.get(vendor.name, {}),
        },
    )
