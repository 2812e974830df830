"""Settings of the property tests: no deadlines, for a busy machine is not a defect."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("gateway", deadline=None, max_examples=60)
settings.load_profile("gateway")
