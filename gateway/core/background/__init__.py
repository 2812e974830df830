"""Responses that are made in the background, whoever waits for them."""

from gateway.core.background.making import Maker, Making
from gateway.core.background.pace import Pace
from gateway.core.background.service import Background, Submission, check, in_background

__all__ = [
    "Background",
    "Maker",
    "Making",
    "Pace",
    "Submission",
    "check",
    "in_background",
]
