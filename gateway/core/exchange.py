"""What goes into the engine and what comes out: the same for the proxy and for the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from gateway.plugin.deployment import Deployment, Timeouts
from gateway.plugin.dialect import Operation
from gateway.types.response import Usage

__all__ = ["Blocks", "Envelope", "Reply", "Streamed", "Whole"]


class Envelope(Struct, frozen=True, kw_only=True):
    """A request as it came: `body` is its JSON, untouched.

    `response_id` is the gateway's id out of the path, `query` the raw query string, `headers`
    the client's in lower case. The rest is for callers that may decide like the operator (SDK
    only): `deployment` is their own choice of upstream, past the configured models, `timeouts`
    take the place of the deployment's, and `extra_headers` go to the upstream as they are.
    """

    operation: Operation
    request_id: str
    body: bytes = b""
    response_id: str = ""
    query: str = ""
    headers: Mapping[str, str] = {}
    deployment: Deployment | None = None
    timeouts: Timeouts | None = None
    extra_headers: Mapping[str, str] = {}

    def adjust(self, deployment: Deployment) -> Deployment:
        """Return `deployment` as this request wants it."""
        if self.timeouts is None and not self.extra_headers:
            return deployment
        return replace(
            deployment,
            timeouts=self.timeouts or deployment.timeouts,
            headers={**deployment.headers, **self.extra_headers},
        )


class Whole(Struct, frozen=True, kw_only=True):
    """An answer in one piece: JSON. `outcome` and `usage` are what it says of itself, for the
    observers.
    """

    body: bytes
    headers: Mapping[str, str] = {}
    status: int = 200
    outcome: str = "completed"
    usage: Usage | None = None


class Blocks(Protocol):
    """Blocks of server-sent events, each of whole frames. Closing them cancels the upstream."""

    @property
    def over(self) -> bool:
        """Whether the last block is known to have been given; if not, another `anext` tells."""
        ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None: ...


class Streamed(Struct, frozen=True, kw_only=True):
    """An answer as server-sent events. Whoever takes it must close its `blocks`."""

    blocks: Blocks
    headers: Mapping[str, str] = {}


Reply = Whole | Streamed
