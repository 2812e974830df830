"""What differs between models, as data: the options of a deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from gateway.plugin import Deployment
from gateway.plugin.quirks import NEWEST, Version, read_quirks, version_in

__all__ = ["Quirks", "quirks_of"]


class Quirks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one model differs; the defaults are those of the newest, and of any that is unknown.

    An operator may set any of them in the configuration of a deployment.
    """

    max_tokens: int = 128_000
    """The most that the model writes: what is asked for if the client sets no limit."""
    thinking: Literal["always", "adaptive", "budget", "none"] = "adaptive"
    """How it thinks: always (then it cannot be made to call a tool) or as it likes, both by effort,
    as many tokens as it is told, or never."""
    efforts: tuple[str, ...] = ("low", "medium", "high", "xhigh", "max")
    """The efforts that it knows, in their order."""
    samplers: bool = False
    """It takes temperature or top_p."""
    system_role: bool = True
    """It knows messages of the role `system`; else such text is the user's, in `<system>` tags."""
    structured: bool = True
    """It can be held to a JSON Schema."""
    computer: bool = True
    """It knows the computer toolset."""
    web_fetch: bool = False
    """Where it may search the web, it may fetch pages, too."""
    cite_files: bool = False
    """It cites the files that the user sends."""
    version: str = ""
    """The `anthropic-version` to send; by default the newest that takes what is asked."""
    betas: tuple[str, ...] = ()
    """Values of the header `anthropic-beta`, besides those that a request needs."""


_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2})(?!\d))?")
_BEFORE: Mapping[Version, Mapping[str, Any]] = {
    (4, 8): {"system_role": False, "computer": False},
    (4, 7): {"samplers": True, "efforts": ("low", "medium", "high", "max"), "max_tokens": 64_000},
    (4, 6): {"thinking": "budget"},
    (4, 5): {"structured": False, "max_tokens": 32_000},
    (3, 7): {"thinking": "none", "max_tokens": 8_192},
    (3, 5): {"max_tokens": 4_096},
}
"""What models older than a version differ in, besides what is said of newer ones."""


def quirks_of(deployment: Deployment) -> Quirks:
    """Return the quirks of `deployment`; raises `ConfigError` if one is unknown or ill-typed."""
    return read_quirks(deployment, Quirks, _known(deployment.model))


def _known(model: str) -> dict[str, Any]:
    """Return what is known of `model` by its family and version."""
    version = version_in(model, _VERSION)
    known: dict[str, Any] = {}
    for newer, changes in _BEFORE.items():
        if version < newer:
            known |= changes
    is_opus = "opus" in model and (5, 5) <= version < NEWEST
    if is_opus or "fable" in model or "mythos" in model:
        known["thinking"] = "always"
    if "sonnet" in model and version < (5, 5):  # the first of its generation does not heed them
        known["system_role"] = False
    return known
