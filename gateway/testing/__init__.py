"""The test kit, shipped for plugin authors. Nothing that runs in production imports it."""

from gateway.testing.connection import Received
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

__all__ = [
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
]
