"""Requests pass the kit, as those of every generation of models."""

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.testing import RequestRules
from gateway.testing.tables import TableRules
from gateway_gemini import GeminiDialect


class TestNewest(RequestRules, TableRules):
    dialect = GeminiDialect()


class TestSecond(RequestRules):
    dialect = GeminiDialect()
    quirks: ClassVar[Mapping[str, Any]] = {
        "efforts": {"low": 1024, "high": 8192},
        "wants_signatures": False,
        "tool_files": False,
        "mixes_tools": False,
        "computer_functions": "older",
    }


class TestThoughtless(RequestRules):
    dialect = GeminiDialect()
    quirks: ClassVar[Mapping[str, Any]] = {"efforts": {}, "tool_files": False}
