"""What we make of recorded answers of Claude, of Gemini and on Bedrock keeps to the schema of the
Open Responses project. That has neither hosted tools nor citations of files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.testing import replay as play
from gateway.testing.replay import plain

from .conftest import FAMILIES
from .families import ends, recorded
from .test_open_responses import check

if TYPE_CHECKING:
    from .conftest import CallOf, Recording

API = tuple(FAMILIES)


def is_covered(recording: Recording) -> bool:
    told = recorded(recording) if ends(recording) else None
    features = " ".join(recording.meta["features"])
    return told is not None and not told.hosted and "citation" not in features


ABOUT = {"test_every_event_keeps_to_the_schema": is_covered}


def test_every_event_keeps_to_the_schema(call_of: CallOf, recording: Recording) -> None:
    dialect, call = call_of(recording)
    check(plain(play(dialect, call, [recording.body], whole=not recording.stream)))
