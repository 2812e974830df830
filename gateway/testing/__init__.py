"""The test kit, shipped for plugin authors. Nothing that runs in production imports it."""

import pytest

from gateway.testing.cases import Case, Recording
from gateway.testing.connection import Received
from gateway.testing.replay import CountedIds, replay
from gateway.testing.script import (
    Fault,
    Script,
    Step,
    event_stream,
    json_answer,
    page,
    redirect,
)
from gateway.testing.upstream import ScriptedUpstream, deaf_port

# So that a failing assertion of the kit shows the values that it compared.
pytest.register_assert_rewrite(
    "gateway.testing.answers",
    "gateway.testing.conformance",
    "gateway.testing.failures",
    "gateway.testing.requests",
    "gateway.testing.tiers",
)

from gateway.testing.conformance import DialectConformance, RecordedConformance  # noqa: E402 - after the lines above

__all__ = [
    "Case",
    "CountedIds",
    "DialectConformance",
    "Fault",
    "Received",
    "RecordedConformance",
    "Recording",
    "Script",
    "ScriptedUpstream",
    "Step",
    "deaf_port",
    "event_stream",
    "json_answer",
    "page",
    "redirect",
    "replay",
]
