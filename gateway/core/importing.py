"""Takes a response out of the upstream that keeps it, so that another model can go on with it."""

from __future__ import annotations

from urllib.parse import quote

from gateway.core.backends import Backends
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import NativeCall, NativeDialect, Operation, native
from gateway.types.items import InputItem
from gateway.types.response import decode_input_items, decode_response

__all__ = ["take_history"]

_PAGE = 100


async def take_history(
    backends: Backends, deployment: Deployment, response_id: str
) -> tuple[InputItem, ...]:
    """Return the input and the output of the upstream's own response `response_id`.

    Raises `UpstreamError`, and `InvalidRequestError` if the upstream does not give them.
    """
    source = _Source(backends, await backends.locate(deployment), response_id)
    items = await source.input_items()
    return (*items, *decode_response(await source.fetch("retrieve")).output)


class _Source:
    """One response at the upstream that made it."""

    def __init__(self, backends: Backends, deployment: Deployment, response_id: str) -> None:
        dialect = backends.dialect(deployment)
        assert native(dialect)
        self._backends = backends
        self._dialect: NativeDialect = dialect
        self._deployment = deployment
        self._response_id = response_id

    async def input_items(self) -> list[InputItem]:
        items: list[InputItem] = []
        after = ""
        while True:
            query = f"order=asc&limit={_PAGE}" + (
                f"&after={quote(after, safe='')}" if after else ""
            )
            page = decode_input_items(await self.fetch("input_items", query))
            items += page.data
            if not (page.has_more and page.data and page.last_id not in (None, after)):
                return items
            after = page.last_id or ""

    async def fetch(self, operation: Operation, query: str = "") -> bytes:
        request = self._dialect.encode(
            NativeCall(
                operation=operation,
                deployment=self._deployment,
                response_id=self._response_id,
                query=query,
            )
        )
        opened = await self._backends.open(self._deployment, request)
        try:
            return opened.first + await opened.answer.body()
        finally:
            opened.answer.close()
