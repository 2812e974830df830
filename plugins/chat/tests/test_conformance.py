"""The dialect passes the kit, on invented exchanges."""

from pathlib import Path

from gateway.testing import DialectConformance
from gateway_chat import ChatDialect


class TestConformance(DialectConformance):
    dialect = ChatDialect()
    corpus = Path(__file__).parent / "corpus"
