"""Vendor state that travels with the client, in `reasoning.encrypted_content`.

A carrier goes back only to the model that made it, for the tenant that got it. To any other it is
nothing at all: it is never forwarded and never turned into text. An upstream that speaks the
Responses API encrypts its own, which clients may hold as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, Struct, UnsetType

from gateway.ids import BrokenSealError, Seal, is_carrier
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Translator
from gateway.stream.deltas import Delta, Thought
from gateway.stream.frames import Frame
from gateway.types.items import InputItem, Reasoning
from gateway.types.request import Request

__all__ = ["Carriers", "Sealing"]


class Carriers(Struct, frozen=True):
    """Seals and opens the carriers of one deployment's model for one tenant.

    `encrypted` says that the upstream encrypts them itself: those pass, whoever has kept them.
    """

    cipher: Seal
    tenant: str
    deployment: Deployment
    encrypted: bool = False

    def seal(self, carrier: str) -> str:
        if self.encrypted:
            return carrier
        return self.cipher.seal_carrier(self.tenant, self._maker, carrier)

    def open(self, request: Request) -> Request:
        """Return `request` with its carriers opened, and without those of others."""
        if not request.input or isinstance(request.input, str):
            return request
        if not any(isinstance(item, Reasoning) for item in request.input):
            return request
        return msgspec.structs.replace(request, input=tuple(map(self._opened, request.input)))

    @property
    def _maker(self) -> str:
        return f"{self.deployment.provider}/{self.deployment.model}"

    def _opened(self, item: InputItem) -> InputItem:
        if not isinstance(item, Reasoning) or not item.encrypted_content:
            return item
        return msgspec.structs.replace(
            item, encrypted_content=self._carrier(item.encrypted_content)
        )

    def _carrier(self, sealed: str) -> str | UnsetType:
        if self.encrypted:
            return UNSET if is_carrier(sealed) else sealed
        try:
            return self.cipher.open_carrier(self.tenant, self._maker, sealed)
        except BrokenSealError:
            return UNSET


class Sealing:
    """A translator around that of a dialect, where one response is made of several answers: each
    has its carriers sealed for the deployment that gave it.
    """

    def __init__(self, translator: Translator, carriers: Carriers) -> None:
        self._translator = translator
        self._carriers = carriers

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        for delta in self._translator.feed(frame):
            if isinstance(delta, Thought) and delta.carrier:
                sealed = self._carriers.seal(delta.carrier)
                yield msgspec.structs.replace(delta, carrier=sealed)
            else:
                yield delta
