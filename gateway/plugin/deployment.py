"""Deployments: what the operator has configured behind a model name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from gateway.config import Secret, Timeouts

__all__ = ["Deployment", "Secret", "Timeouts"]


class Deployment(Struct, frozen=True, kw_only=True):
    """One (provider, upstream model, base URL, credential) that a call can go to.

    `alias` is the model name that clients ask for; it and `model` may end in `*` together.
    `account` is a stable hash of provider, base URL, credential and settings: what sealed ids name.
    `settings` and `secrets` are the provider's own `Setting`s, those that have a value.
    `quirks` are the provider's with the operator's on top. `downloads` is the directory that the
    provider's downloads were put into. `on_unsupported` relaxes what its dialect rejects to what
    is merely dropped. `history` says who keeps the responses of an upstream that could itself,
    `tools` who runs the tools of one that could.
    """

    alias: str
    provider: str
    model: str
    account: str
    base_url: str = ""
    api_key: Secret = field(default_factory=lambda: Secret(""))
    headers: Mapping[str, str] = {}
    settings: Mapping[str, str] = {}
    secrets: Mapping[str, Secret] = {}
    quirks: Mapping[str, Any] = {}
    weight: float = 1.0
    timeouts: Timeouts = Timeouts()
    retries: int = 1
    on_unsupported: Literal["reject", "drop"] = "reject"
    history: Literal["upstream", "gateway"] = "upstream"
    tools: Literal["upstream", "gateway"] = "upstream"
    downloads: Path | None = None
