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
    "gateway.testing.store_background",
    "gateway.testing.store_conversations",
    "gateway.testing.store_purge",
    "gateway.testing.store_random",
    "gateway.testing.store_responses",
    "gateway.testing.store_samples",
    "gateway.testing.tiers",
    "gateway.testing.tool_runners",
)

# ruff: noqa: E402 - the kit itself comes after the line above
from gateway.testing.conformance import DialectConformance, RecordedConformance
from gateway.testing.requests import RequestRules
from gateway.testing.store_conformance import StoreConformance
from gateway.testing.tiers import (
    WithImages,
    WithParallelTools,
    WithReasoning,
    WithStructuredOutput,
    WithTools,
)
from gateway.testing.tool_runners import ToolRunnerConformance

__all__ = [
    "Case",
    "CountedIds",
    "DialectConformance",
    "Fault",
    "Received",
    "RecordedConformance",
    "Recording",
    "RequestRules",
    "Script",
    "ScriptedUpstream",
    "Step",
    "StoreConformance",
    "ToolRunnerConformance",
    "WithImages",
    "WithParallelTools",
    "WithReasoning",
    "WithStructuredOutput",
    "WithTools",
    "deaf_port",
    "event_stream",
    "json_answer",
    "page",
    "redirect",
    "replay",
]
