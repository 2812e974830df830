from pathlib import Path

from gateway.testing import DialectConformance
from gateway.testing.tiers import WithParallelTools
from gateway_acme.dialect import AcmeDialect


class TestConformance(WithParallelTools, DialectConformance):
    dialect = AcmeDialect()
    corpus = Path(__file__).parent / "corpus"
