from pathlib import Path

from gateway.testing.tiers import WithParallelTools, WithReasoning
from gateway_acme.dialect import AcmeDialect


class TestConformance(WithParallelTools, WithReasoning):
    dialect = AcmeDialect()
    corpus = Path(__file__).parent / "corpus"
