"""Tests that a store must pass, whatever it is made of.

    class TestConformance(StoreConformance):
        @pytest.fixture
        async def store(self, tmp_path):
            async with ACME.open(StoreSettings(directory=tmp_path)) as store:
                yield store

The store that the fixture gives must be empty. One that outlives its process says with another
fixture how to open, besides `store`, a second one on the same data:

        @pytest.fixture
        def reopen(self, tmp_path):
            return lambda: ACME.open(StoreSettings(directory=tmp_path))

The kit needs pytest-asyncio and hypothesis. What it cannot test is the author's to test: that a
store which is cut off, full or slow raises `StoreError`, and is itself again afterwards.
"""

from __future__ import annotations

import pytest

from gateway.testing.store_background import BackgroundRules
from gateway.testing.store_conversations import ConversationRules
from gateway.testing.store_marks import MarkRules
from gateway.testing.store_purge import PurgeRules
from gateway.testing.store_random import RandomRules
from gateway.testing.store_responses import Reopen, ResponseRules

__all__ = ["StoreConformance"]


class StoreConformance(
    ResponseRules, ConversationRules, BackgroundRules, MarkRules, PurgeRules, RandomRules
):
    """Inherit, and give it the fixture `store`, and `reopen` if there is anything to reopen."""

    @pytest.fixture
    def reopen(self) -> Reopen:
        return None
