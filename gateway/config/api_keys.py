"""Read the keys that callers may send. Only their digests are kept."""

from __future__ import annotations

import hashlib
import re

from gateway.config.reader import REFERENCE, Node, Reader, Words
from gateway.config.settings import ApiKeyEntry, Name

__all__ = ["read_api_keys"]

_WORDS = Words(frozenset(("tenant", "key")), aliases={"name": "tenant"})
_DIGEST = "sha256:"
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{64}")
_PLAINTEXT = (
    "a key does not belong in the file; write `os.environ/NAME`, or its digest `sha256:…`, which"
    ' `printf %s "$KEY" | sha256sum` shows'
)


def read_api_keys(
    reader: Reader, api_keys: Node | None, master_key: Node | None
) -> tuple[ApiKeyEntry, ...]:
    """Return the entries of `api_keys`, and LiteLLM's `master_key` as the tenant `master`'s."""
    entries: dict[bytes, ApiKeyEntry] = {}
    for element in reader.sequence(api_keys) if api_keys else ():
        _add(reader, element, _entry(reader, element), entries)
    if master_key:
        # Here, unlike in `api_keys`, LiteLLM's users write the key itself.
        _add(reader, master_key, _digested(reader, master_key, "master"), entries)
    return tuple(entries.values())


def _add(
    reader: Reader, node: Node, entry: ApiKeyEntry | None, entries: dict[bytes, ApiKeyEntry]
) -> None:
    if entry and entry.digest in entries:
        reader.report(node, f"is the key of the tenant `{entries[entry.digest].tenant}` already")
    elif entry:
        entries[entry.digest] = entry


def _entry(reader: Reader, node: Node) -> ApiKeyEntry | None:
    if isinstance(node.value, str):
        return _kept_elsewhere(reader, node, "")
    written = reader.mapping(node, _WORDS)
    if "key" not in written:
        reader.report(node.child("key", None), "is missing")
        return None
    tenant = reader.value(Name, written["tenant"]) if "tenant" in written else ""
    return _kept_elsewhere(reader, written["key"], tenant)


def _kept_elsewhere(reader: Reader, key: Node, tenant: str) -> ApiKeyEntry | None:
    if isinstance(key.value, str) and not key.value.startswith((REFERENCE, _DIGEST)):
        reader.report(key, _PLAINTEXT)
        return None
    return _digested(reader, key, tenant)


def _digested(reader: Reader, key: Node, tenant: str) -> ApiKeyEntry | None:
    """Return the entry of `key`; without a tenant, the key is its own, named after its digest."""
    text = reader.value(str, key)
    if not text:
        return None
    if not text.startswith(_DIGEST):
        digest = hashlib.sha256(text.encode()).digest()
    elif _HEXADECIMAL.fullmatch(text.removeprefix(_DIGEST)):
        digest = bytes.fromhex(text.removeprefix(_DIGEST))
    else:
        reader.report(key, "write 64 hexadecimal digits after `sha256:`")
        return None
    return ApiKeyEntry(tenant=tenant or f"key-{digest.hex()[:8]}", digest=digest)
