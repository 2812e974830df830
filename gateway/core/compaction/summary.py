"""What a compaction item holds, as its client may hold it: sealed."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from gateway.errors import InvalidRequestError
from gateway.ids import BrokenSealError, Seal
from gateway.types.items import InputItem
from gateway.types.open import decode_hook
from gateway.types.wire import encode

__all__ = ["Summaries", "Summary"]


class Summary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands for the items before it: a text, and those `items` that stay word for word.

    `users_stay` says that what users said is still there, before the compaction.
    """

    text: str
    items: tuple[InputItem, ...] = ()
    users_stay: bool = False


_decode = msgspec.json.Decoder(Summary, dec_hook=decode_hook).decode


class Summaries(Struct, frozen=True):
    """Seals and opens the summaries of one tenant: any model may read them."""

    cipher: Seal
    tenant: str

    def seal(self, summary: Summary) -> str:
        return self.cipher.seal_summary(self.tenant, encode(summary))

    def open(self, sealed: str, param: str) -> Summary:
        """Return the summary. Raises `InvalidRequestError` for one that was not sealed here, or
        for another tenant; `param` is where it stands in the request.
        """
        try:
            return _decode(self.cipher.open_summary(self.tenant, sealed))
        except BrokenSealError as error:
            raise InvalidRequestError(
                f"{param} cannot be read: it is not a compaction that this gateway made for you",
                code="invalid_encrypted_content",
                param=param,
            ) from error
