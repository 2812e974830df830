"""Ids that the gateway mints, ids that it seals, and the clock.

A response that a native upstream keeps gets a *sealed* id: `resp_` + base64url(AES-SIV(account,
upstream id)) with the tenant as associated data. AES-SIV (RFC 5297) is deterministic, so the
same response has the same id everywhere, and authenticated, so another tenant's key cannot open
it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

__all__ = ["BrokenSealError", "Ids", "Seal", "account_of"]

_RANDOM_BYTES = 24
_SEPARATOR = b"\0"
_PREFIX = "resp_"


class BrokenSealError(Exception):
    """An id that was not sealed here, or for another tenant."""


class Ids:
    """Mints ids and tells the time (Unix seconds). Tests put their own in its place."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now

    def mint(self, prefix: str) -> str:
        """Return a new unguessable id such as `msg_3f…` with 48 hexadecimal digits."""
        return f"{prefix}_{secrets.token_hex(_RANDOM_BYTES)}"


class Seal:
    """Seals upstream ids into the gateway's own, with a key derived from the operator's secret."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(hashlib.sha512(b"gateway sealed ids v1" + secret).digest())

    def seal(self, tenant: str, account: str, upstream_id: str) -> str:
        """Return the id under which `tenant` sees the response that `account` calls
        `upstream_id`.
        """
        payload = _SEPARATOR.join((account.encode(), upstream_id.encode()))
        sealed = self._cipher.encrypt(payload, [tenant.encode()])
        return _PREFIX + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, tenant: str, sealed_id: str) -> tuple[str, str]:
        """Return the account and the upstream's id. Raises `BrokenSealError`."""
        if not sealed_id.startswith(_PREFIX):
            raise BrokenSealError(sealed_id)
        text = sealed_id.removeprefix(_PREFIX)
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            payload = self._cipher.decrypt(sealed, [tenant.encode()])
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise BrokenSealError(sealed_id) from error
        account, _, upstream_id = payload.partition(_SEPARATOR)
        return account.decode(), upstream_id.decode()


def account_of(provider: str, base_url: str, credential: str) -> str:
    """Return the stable name of an account: it survives restarts and reordering of the
    configuration.
    """
    digest = hashlib.sha256(
        _SEPARATOR.join(part.encode() for part in (provider, base_url, credential))
    )
    return digest.hexdigest()[:16]
