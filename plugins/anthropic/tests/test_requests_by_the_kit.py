"""Requests pass the kit, as those of every generation of models."""

from gateway.testing import RequestRules
from gateway_anthropic import AnthropicDialect

OLDER = {
    "max_tokens": 32_000,
    "thinking": "budget",
    "samplers": True,
    "system_role": False,
    "structured": False,
    "computer": False,
}
OLDEST = {**OLDER, "thinking": "none"}


class TestNewest(RequestRules):
    dialect = AnthropicDialect()


class TestOlder(RequestRules):
    dialect = AnthropicDialect()
    quirks = OLDER


class TestOldest(RequestRules):
    dialect = AnthropicDialect()
    quirks = OLDEST
