"""Ids that the gateway mints, what it seals, and the clock.

A response that a native upstream keeps gets a *sealed* id: `resp_` + base64url(AES-SIV(account,
upstream id)) with the tenant as associated data. AES-SIV (RFC 5297) is deterministic, so the
same response has the same id everywhere, and authenticated, so another tenant's key cannot open
it. Carriers, which are vendor state in the hands of clients, are sealed the same way, bound to the
tenant and to the model that made them; summaries and what clients are asked to approve, bound to
the tenant alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
import time
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

__all__ = ["SUMMARY_PREFIX", "BrokenSealError", "Ids", "Seal", "account_of", "is_carrier", "is_id"]

_RANDOM_BYTES = 18
_SEPARATOR = b"\0"
_RESPONSE = "resp_"
_ID = re.compile(r"[!-~]{1,256}").fullmatch
_CARRIER = "gw1."
_JOB = "job"
_APPROVAL = "mcpr_"
SUMMARY_PREFIX = "gws1."
"""What sealed summaries begin with."""


class BrokenSealError(Exception):
    """A text that was not sealed here, or for somebody or something else."""


class Ids:
    """Mints ids and tells the time (Unix seconds). Tests put their own in its place."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now

    def mint(self, prefix: str) -> str:
        """Return a new unguessable id such as `msg_3f…` with 48 hexadecimal digits.

        It begins with the time in milliseconds, so that what a database gets in a row stands in a
        row in its indexes: that saves it a third of its work.
        """
        return f"{prefix}_{int(self.now() * 1000):012x}{secrets.token_hex(_RANDOM_BYTES)}"


class Seal:
    """Seals texts for one tenant, with a key derived from the operator's secret."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(hashlib.sha512(b"gateway sealed ids v1" + secret).digest())

    def seal(self, tenant: str, account: str, upstream_id: str) -> str:
        """Return the id under which `tenant` sees the response that `account` calls
        `upstream_id`.
        """
        payload = _SEPARATOR.join((account.encode(), upstream_id.encode()))
        return _RESPONSE + self._encrypt(payload, tenant)

    def open(self, tenant: str, sealed_id: str) -> tuple[str, str]:
        """Return the account and the upstream's id. Raises `BrokenSealError`."""
        payload = self._decrypt(sealed_id, _RESPONSE, tenant)
        account, _, upstream_id = payload.partition(_SEPARATOR)
        return account.decode(), upstream_id.decode()

    def seal_carrier(self, tenant: str, maker: str, carrier: str) -> str:
        """Return `carrier`, which `maker` wants back from `tenant`, as a client may hold it."""
        return _CARRIER + self._encrypt(carrier.encode(), tenant, maker)

    def open_carrier(self, tenant: str, maker: str, sealed: str) -> str:
        """Return the carrier as `maker` gave it. Raises `BrokenSealError` if it is another's."""
        return self._decrypt(sealed, _CARRIER, tenant, maker).decode()

    def seal_summary(self, tenant: str, summary: bytes) -> str:
        """Return `summary`, which takes the place of a part of a conversation of `tenant`, as a
        client may hold it. Any model may read it.
        """
        return SUMMARY_PREFIX + self._encrypt(summary, tenant, SUMMARY_PREFIX)

    def open_summary(self, tenant: str, sealed: str) -> bytes:
        """Return the summary. Raises `BrokenSealError`."""
        return self._decrypt(sealed, SUMMARY_PREFIX, tenant, SUMMARY_PREFIX)

    def seal_approval(self, tenant: str, asked: bytes) -> str:
        """Return the id of a request of `tenant`'s to approve what `asked` says."""
        return _APPROVAL + self._encrypt(asked, tenant, _APPROVAL)

    def open_approval(self, tenant: str, sealed_id: str) -> bytes:
        """Return what was asked. Raises `BrokenSealError`."""
        return self._decrypt(sealed_id, _APPROVAL, tenant, _APPROVAL)

    def opens_approval(self, tenant: str, approval_request_id: str) -> bool:
        """Say whether `tenant` was asked under that id here."""
        try:
            self.open_approval(tenant, approval_request_id)
        except BrokenSealError:
            return False
        return True

    def seal_job(self, tenant: str, response_id: str, job: bytes) -> bytes:
        """Return `job`, the work on a response of `tenant`, as it may lie in a store."""
        return self._cipher.encrypt(job, _bound(tenant, response_id, _JOB))

    def open_job(self, tenant: str, response_id: str, sealed: bytes) -> bytes:
        """Return the work as it was sealed. Raises `BrokenSealError` if it is another's."""
        try:
            return self._cipher.decrypt(sealed, _bound(tenant, response_id, _JOB))
        except (InvalidTag, ValueError) as error:
            raise BrokenSealError(response_id) from error

    def _encrypt(self, payload: bytes, *bound_to: str) -> str:
        return _write(self._cipher.encrypt(payload, _bound(*bound_to)))

    def _decrypt(self, sealed: str, prefix: str, *bound_to: str) -> bytes:
        if not sealed.startswith(prefix):
            raise BrokenSealError(sealed)
        text = sealed.removeprefix(prefix)
        try:
            payload = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            opened = self._cipher.decrypt(payload, _bound(*bound_to))
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise BrokenSealError(sealed) from error
        if _write(payload) != text:  # another spelling of it would be another id of the same thing
            raise BrokenSealError(sealed)
        return opened


def is_id(text: str) -> bool:
    """Say whether `text` may be an id of something that is kept; no store is asked for another."""
    return _ID(text) is not None


def is_carrier(text: str) -> bool:
    """Say whether `text` is a carrier that some gateway has sealed."""
    return text.startswith(_CARRIER)


def account_of(provider: str, base_url: str, credential: str) -> str:
    """Return the stable name of an account: it survives restarts and reordering of the
    configuration.
    """
    digest = hashlib.sha256(
        _SEPARATOR.join(part.encode() for part in (provider, base_url, credential))
    )
    return digest.hexdigest()[:16]


def _write(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _bound(*parts: str) -> list[bytes]:
    """Return what a seal is bound to: it opens for nothing else."""
    return [part.encode() for part in parts]
