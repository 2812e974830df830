"""The test kit, shipped for plugin authors. Nothing that runs in production imports it."""

import pytest

from gateway.testing.connection import Received
from gateway.testing.replay import Case, CountedIds, replay
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
pytest.register_assert_rewrite("gateway.testing.conformance")

from gateway.testing.conformance import DialectConformance  # noqa: E402 - after the line above

__all__ = [
    "Case",
    "CountedIds",
    "DialectConformance",
    "Fault",
    "Received",
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
