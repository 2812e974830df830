"""What differs between generations of Gemini, and what an operator may say of a deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from gateway.plugin import Deployment
from gateway.plugin.quirks import Version, read_quirks, version_in
from gateway_gemini.functions import Generation

__all__ = ["Quirks", "quirks_of"]

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?!\d)")
_MUTE = re.compile(r"gemma|-tts|native-audio|-2\.5-.*image")
_PRO = {"minimal": "LOW", "low": "LOW", "medium": "MEDIUM"} | dict.fromkeys(
    ("high", "xhigh", "max"), "HIGH"
)
_FLASH = {**_PRO, "none": "MINIMAL", "minimal": "MINIMAL"}
_BUDGETS = {"minimal": 512, "low": 2048, "medium": 8192, "high": 24576}


class Quirks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model differs, which its name tells, and what goes into each request."""

    efforts: Mapping[str, str | int]
    """The thinkingLevel (text) or thinkingBudget (number) for each effort; none: no thoughts."""
    wants_signatures: bool
    """It refuses calls in history that come without a signature."""
    tool_files: bool
    """Results of functions may hold images and documents; else these follow on their own."""
    mixes_tools: bool
    """It must be asked to show its own tools' work when it also gets functions."""
    computer_functions: Generation
    """Which names it has for what can be done on a screen."""
    computer_environment: str = "browser"
    """Where the tool `computer` works, which does not say it itself."""
    tools: tuple[dict[str, Any], ...] = ()
    """Tools of Google's to add to each request, such as `{"urlContext": {}}`."""
    safety_settings: tuple[dict[str, str], ...] = ()
    """How readily Google blocks: a category and a threshold each."""
    extra_body: Mapping[str, Any] = {}
    """Members to add to each request; objects are joined with what is there."""


def quirks_of(deployment: Deployment) -> Quirks:
    """Return the quirks of `deployment`; raises `ConfigError` if one is unknown or ill-typed."""
    return read_quirks(deployment, Quirks, _known(deployment))


def _known(deployment: Deployment) -> dict[str, Any]:
    """Return what follows from the model's name: one without a version is taken for the newest."""
    version = version_in(deployment.model, _VERSION)
    is_third = version >= (3, 0)
    return {
        "efforts": _efforts(deployment.model, version),
        "wants_signatures": is_third,
        "tool_files": is_third,
        "mixes_tools": is_third and deployment.provider == "gemini",
        "computer_functions": "newer" if version >= (3, 5) else "older",
    }


def _efforts(model: str, version: Version) -> Mapping[str, str | int]:
    if version < (2, 5) or _MUTE.search(model):
        return {}
    if version < (3, 0):
        most, none = (24576, {"none": 0}) if "flash" in model else (32768, {})
        return {**_BUDGETS, "xhigh": most, "max": most, **none}
    if "flash" in model and version < (3, 7):  # later ones refuse the level MINIMAL
        return _FLASH
    return _PRO if version > (3, 0) else {**_PRO, "medium": "HIGH"}
