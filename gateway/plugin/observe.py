"""The observer contract: who is told what happened, once per request and never per event."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from gateway.types.response import Usage

__all__ = ["Observer", "RequestRecord"]


class RequestRecord(Struct, frozen=True, kw_only=True):
    """One finished request: who asked what of whom, how it ended and how long it took (seconds).

    Holds no prompt, no output and no secret. `status` is the HTTP status sent, `outcome` the
    response's final status or `cancelled` when the client left, `error_code` the code of the
    error if there was one.
    """

    request_id: str
    tenant: str
    operation: str
    model: str
    provider: str = ""
    upstream_model: str = ""
    stream: bool = False
    status: int = 200
    outcome: str = "completed"
    error_code: str | None = None
    attempts: int = 0
    first_byte_seconds: float | None = None
    seconds: float = 0.0
    usage: Usage | None = None


class Observer(Protocol):
    """Is told of each request when it has ended. Must be quick: it runs on the event loop."""

    def finished(self, record: RequestRecord, /) -> None: ...
