"""Who makes a response in the background, and the request that waits for him, sealed."""

from __future__ import annotations

from typing import Any, Protocol, Self

import msgspec

from gateway.core.exchange import Envelope
from gateway.core.principal import Principal
from gateway.errors import GatewayError
from gateway.ids import BrokenSealError, Seal
from gateway.plugin.deployment import Secret
from gateway.plugin.store import Job
from gateway.types.response import Response

__all__ = ["Maker", "Making", "open_envelope", "seal_envelope"]


class Making(Protocol):
    """A response that is being made: blocks of whole events, numbered from 0, the first three of
    them `response.created`, `response.queued` and `response.in_progress`.
    """

    @property
    def response(self) -> Response:
        """The response so far; after the last block, as it is to be kept."""
        ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None: ...


class Maker(Protocol):
    """Makes the response that a create request asks for, under the id that it was queued with.

    Whatever fails before the provider's first word is raised as a `GatewayError`. Nothing is kept:
    who asked does that.
    """

    async def make(
        self, envelope: Envelope, principal: Principal, response_id: str, /
    ) -> Making: ...


def seal_envelope(seal: Seal, tenant: str, response_id: str, envelope: Envelope) -> bytes:
    """Return `envelope` as it may lie in a store: there may be secrets of the client's in it."""
    return seal.seal_job(tenant, response_id, _encode(envelope))


def open_envelope(seal: Seal, job: Job) -> Envelope:
    """Return the request of `job`. Raises `GatewayError` if another gateway has sealed it."""
    try:
        return _decode(seal.open_job(job.tenant, job.response_id, job.request))
    except (BrokenSealError, msgspec.DecodeError) as error:
        raise GatewayError(
            "the request cannot be read: it was queued by a gateway with another secret"
        ) from error


def _plain(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else str(value)


def _typed(kind: type[Any], value: Any) -> Any:
    return kind(value)  # a Secret or a Path


_encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode
_decode = msgspec.msgpack.Decoder(Envelope, dec_hook=_typed).decode
