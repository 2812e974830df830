"""Words for the tests of stores: items are named by words, and contexts told as sentences.

`"q1 a1 q2 | a2"` is the context of a response whose input is q1, a1 and q2 and whose output is a2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from gateway.plugin import Job, Origin, Page, Record, Slice, Store, StoredItem

__all__ = [
    "LATER",
    "TENANT",
    "context",
    "empty",
    "enqueue",
    "item",
    "items",
    "job",
    "page",
    "record",
    "save",
    "sentence",
]

TENANT = "acme"
LATER = 2_000_000_000.0
"""When the samples expire, unless they say otherwise."""


def item(name: str, text: str = "") -> StoredItem:
    """Return the item `name`; with another `text` it is another one of the same id."""
    body = msgspec.json.encode({"id": name, "type": "message", "text": text or name})
    return StoredItem(id=name, body=body)


def items(names: str) -> tuple[StoredItem, ...]:
    return tuple(item(name) for name in names.split())


def record(
    response_id: str,
    *,
    tenant: str = TENANT,
    status: str = "completed",
    expires_at: float = LATER,
    body: bytes = b'{"output":[]}',
) -> Record:
    return Record(
        id=response_id,
        tenant=tenant,
        created_at=1_763_841_600.25,
        expires_at=expires_at,
        status=status,
        model="some-model",
        body=body,
    )


def job(response_id: str, *, tenant: str = TENANT) -> Job:
    return Job(response_id=response_id, tenant=tenant, request=f"make {response_id}".encode())


async def save(
    store: Store, response: str | Record, inputs: str, outputs: str, origin: Origin | str = ""
) -> None:
    """Save a response; `origin` may be the id of the response that it follows."""
    kept = record(response) if isinstance(response, str) else response
    await store.save(kept, _origin(origin), items(inputs), items(outputs))


async def enqueue(
    store: Store, response_id: str, inputs: str = "", origin: Origin | str = ""
) -> None:
    queued = record(response_id, status="queued")
    await store.enqueue(queued, _origin(origin), items(inputs), job(response_id))


async def context(store: Store, response_id: str, *, tenant: str = TENANT) -> str:
    """Return the context of a response as a sentence, having looked at it from all sides."""
    history = await store.history(tenant, response_id)
    loaded = await store.load(tenant, response_id)
    inputs = await store.input_items(tenant, response_id, Page(limit=10_000, order="asc"))
    if history is None or loaded is None or inputs is None:
        assert (history, loaded, inputs) == (None, None, None)
        return "gone"
    before, after = history.items[: history.inputs], history.items[history.inputs :]
    assert loaded == (history.record, after)
    assert inputs == Slice(items=before, has_more=False)
    return f"{sentence(before)} | {sentence(after)}".strip()


async def page(
    store: Store, tenant: str, conversation_id: str, **wanted: object
) -> tuple[str, bool]:
    """Return a page of a conversation as a sentence, and whether more follow."""
    found = await store.conversation_items(
        tenant, conversation_id, msgspec.convert({"order": "asc", **wanted}, Page)
    )
    assert found is not None
    return sentence(found.items), found.has_more


async def empty(store: Store, now: float) -> int:
    """Purge until nothing is left to purge; return how many things went."""
    gone = total = await store.purge(now)
    while gone:
        gone = await store.purge(now)
        total += gone
    return total


def sentence(found: Iterable[StoredItem] | Sequence[StoredItem] | None) -> str:
    """Return the ids of `found`, each of which must be in the item's own body, too."""
    named = [*(found or ())]
    for each in named:
        assert msgspec.json.decode(each.body)["id"] == each.id
    return " ".join(each.id for each in named)


def _origin(origin: Origin | str) -> Origin:
    return Origin(response_id=origin) if isinstance(origin, str) else origin
