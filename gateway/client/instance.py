"""The SDK with an engine of one's own, in one's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, Unpack, overload

import msgspec

from gateway.client import orders
from gateway.client.accounts import Accounts
from gateway.client.orders import Order
from gateway.client.parameters import (
    CompactParameters,
    CountParameters,
    CreateParameters,
    PageOptions,
    RetrieveOptions,
    StoredOptions,
)
from gateway.client.streams import AsyncResponseStream, HeldBlocks
from gateway.config import Config, ToolSettings, default_config, environment, load
from gateway.core.engine import Engine
from gateway.core.exchange import Blocks, Envelope, Whole
from gateway.core.principal import DEFAULT_TENANT, Principal
from gateway.ids import Ids
from gateway.plugin.manager import Plugins
from gateway.types.response import (
    CompactedResponse,
    DeletedResponse,
    InputItemList,
    InputTokenCount,
    Response,
)

__all__ = ["Gateway"]

Answer = TypeVar("Answer")


class Gateway:
    """A gateway without a server: `async with Gateway() as gateway: await gateway.responses(...)`.

    Its methods are the `a…` functions of the package, by their names without the `a`. Without a
    `config` any `provider/model` is served, with keys from the environment; with one, the models
    that it lists, and others only for callers that bring an `api_key`, a `base_url` or a
    `custom_llm_provider`. `plugins` are the installed ones if not given, and `tenant` is whose
    responses it sees. It belongs to the event loop in which it was entered.

    Raises `ConfigError` and `PluginError`.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        plugins: Plugins | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        given = None if config is None else config.environment
        config = config or _own_config()
        plugins = plugins or Plugins(blocked=config.plugins.block)
        self._engine = Engine(config, plugins)
        self._accounts = Accounts(plugins.providers(), self._engine.router, given)
        self._principal = Principal(tenant=tenant)
        self._ids = Ids()
        self._open = False
        self._closing = asyncio.TaskGroup()
        self._resources = contextlib.AsyncExitStack()

    @classmethod
    def from_config(cls, path: str | Path, *, tenant: str = DEFAULT_TENANT) -> Self:
        """Return the gateway that the configuration file at `path` describes."""
        return cls(load(path, environment()), tenant=tenant)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as resources:
            await resources.enter_async_context(self._engine)
            await resources.enter_async_context(self._closing)
            self._resources = resources.pop_all()
        self._open = True
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._open = False
        await self._resources.aclose()

    @overload
    async def responses(
        self, *, stream: Literal[True], **parameters: Unpack[CreateParameters]
    ) -> AsyncResponseStream: ...

    @overload
    async def responses(
        self, *, stream: Literal[False] | None = None, **parameters: Unpack[CreateParameters]
    ) -> Response: ...

    async def responses(
        self, *, stream: bool | None = None, **parameters: Unpack[CreateParameters]
    ) -> Response | AsyncResponseStream:
        """Create a response, or with `stream=True` the stream of its events."""
        return await self._answer(orders.create(parameters, stream=stream))

    @overload
    async def get_responses(
        self, response_id: str, *, stream: Literal[True], **options: Unpack[RetrieveOptions]
    ) -> AsyncResponseStream: ...

    @overload
    async def get_responses(
        self,
        response_id: str,
        *,
        stream: Literal[False] | None = None,
        **options: Unpack[RetrieveOptions],
    ) -> Response: ...

    async def get_responses(
        self, response_id: str, *, stream: bool | None = None, **options: Unpack[RetrieveOptions]
    ) -> Response | AsyncResponseStream:
        """Fetch a response that is kept, or with `stream=True` the stream of its events."""
        return await self._answer(orders.retrieve(response_id, options, stream=stream))

    async def delete_responses(
        self, response_id: str, **options: Unpack[StoredOptions]
    ) -> DeletedResponse:
        """Delete a response that is kept."""
        return await self._whole(orders.delete(response_id, options))

    async def cancel_responses(
        self, response_id: str, **options: Unpack[StoredOptions]
    ) -> Response:
        """Cancel a response that runs in the background."""
        return await self._whole(orders.cancel(response_id, options))

    async def list_input_items(
        self, response_id: str, **options: Unpack[PageOptions]
    ) -> InputItemList:
        """Fetch a page of the input of a response that is kept."""
        return await self._whole(orders.input_items(response_id, options))

    async def compact_responses(self, **parameters: Unpack[CompactParameters]) -> CompactedResponse:
        """Compact a conversation into fewer items."""
        return await self._whole(orders.compact(parameters))

    async def count_input_tokens(self, **parameters: Unpack[CountParameters]) -> InputTokenCount:
        """Count the tokens that an input would use."""
        return await self._whole(orders.count_input_tokens(parameters))

    async def perform(self, order: Order[Any]) -> bytes | HeldBlocks:
        """Make the call that `order` asks for: return a JSON body, or blocks of events.

        Raises `GatewayError`.
        """
        reply = await self._engine.respond(self._envelope(order), self._principal)
        if isinstance(reply, Whole):
            return reply.body
        return HeldBlocks(reply.blocks, self._close_later)

    async def _answer(self, order: Order[Answer]) -> Answer | AsyncResponseStream:
        reply = await self.perform(order)
        return order.read(reply) if isinstance(reply, bytes) else AsyncResponseStream(reply)

    async def _whole(self, order: Order[Answer]) -> Answer:
        reply = await self.perform(order)
        assert isinstance(reply, bytes)  # these operations have no streams
        return order.read(reply)

    def _envelope(self, order: Order[Any]) -> Envelope:
        find = self._accounts.keeper if order.response_id else self._accounts.choose
        return Envelope(
            operation=order.operation,
            request_id=self._ids.mint("req"),
            body=order.body,
            response_id=order.response_id,
            query=order.query,
            deployment=find(order.model, order.account),
            timeouts=order.timeouts,
            extra_headers=order.headers,
        )

    def _close_later(self, blocks: Blocks) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and every stream with it
            self._loop.call_soon_threadsafe(self._close, blocks)

    def _close(self, blocks: Blocks) -> None:
        if self._open:  # otherwise the engine closes every answer itself
            self._closing.create_task(_closed(blocks))


async def _closed(blocks: Blocks) -> None:
    await blocks.aclose()


def _own_config() -> Config:
    """Return the configuration without a file: who calls this is the operator, so the MCP servers
    that he names may be on his own machine.
    """
    tools = ToolSettings(private_addresses=True)
    return msgspec.structs.replace(default_config(environment()), tools=tools)
