from pathlib import Path

from gateway.testing import DialectConformance
from gateway_acme.dialect import AcmeDialect


class TestConformance(DialectConformance):
    dialect = AcmeDialect()
    corpus = Path(__file__).parent / "corpus"
