"""Reach deployments: start what must be started, authenticate, send, and read refusals."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from gateway.core.headers import returned_headers
from gateway.errors import UpstreamProtocolError, UpstreamUnreachableError
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import (
    Dialect,
    Failure,
    NativeDialect,
    UpstreamRequest,
    native,
)
from gateway.plugin.provider import Granted, Provider, key_of
from gateway.plugin.transport import Answer, Transport
from gateway.stream.frames import Framing, WholeBody
from gateway.upstream.grants import Grants
from gateway.upstream.launch import Launcher

__all__ = ["Backends", "Opened"]


class Opened(Struct, frozen=True, kw_only=True):
    """An upstream answer that has begun: a good status, and the first bytes of its body.

    `content_type` is its media type without parameters, in lower case.
    """

    answer: Answer
    first: bytes
    content_type: str

    def framing(self, request: UpstreamRequest) -> Framing:
        """Return what cuts the answer to `request` into frames, whether it is a stream or not."""
        return WholeBody() if self.content_type == "application/json" else request.framing()


class Backends:
    """Owns the ways to the providers: the shared transport, and those of providers that bring one.

    Processes are the launcher's, credentials that expire those of `grants`.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        transport: Transport,
        launcher: Launcher,
        grants: Grants,
    ) -> None:
        self._providers = providers
        self._transport = transport
        self._launcher = launcher
        self._grants = grants
        self._own_transports: dict[str, Transport] = {}

    def dialect(self, deployment: Deployment) -> Dialect | NativeDialect:
        dialect = self._providers[deployment.provider].dialect
        assert not isinstance(dialect, str)
        return dialect

    async def locate(self, deployment: Deployment) -> Deployment:
        """Return `deployment` with its base URL, starting the provider's process if it owns one."""
        launch = self._providers[deployment.provider].launch
        if launch is None:
            return deployment
        return replace(deployment, base_url=await self._launcher.base_url(deployment, launch))

    async def open(self, deployment: Deployment, request: UpstreamRequest) -> Opened:
        """Send `request` and wait for the first byte of a good answer. Raises `UpstreamError`."""
        provider = self._providers[deployment.provider]
        request = await self._authenticated(request, provider, deployment)
        try:
            answer = await self._transport_to(deployment, provider).send(
                request, deployment.timeouts
            )
        except UpstreamUnreachableError:
            self._launcher.forget(deployment)
            raise
        try:
            if answer.status < 300:
                return await _opened(answer, deployment)
            body = await answer.body()
        except BaseException:
            answer.close()
            raise
        answer.close()
        dialect = self.dialect(deployment)
        error = dialect.error(Failure(status=answer.status, headers=answer.headers, body=body))
        if native(dialect):
            error.headers = {**returned_headers(answer.headers), **error.headers}
        raise error

    async def aclose(self) -> None:
        for transport in self._own_transports.values():
            await transport.aclose()
        await self._transport.aclose()
        await self._launcher.aclose()

    async def _authenticated(
        self, request: UpstreamRequest, provider: Provider, deployment: Deployment
    ) -> UpstreamRequest:
        headers = {**request.headers, **deployment.headers}
        key = key_of(provider)
        if key is not None and deployment.api_key:
            headers[key.header] = key.prefix + deployment.api_key.reveal()
        elif isinstance(provider.credentials, Granted):
            unsigned = replace(request, headers=headers)
            headers |= await self._grants.sign(deployment, provider.credentials.fetch, unsigned)
        return replace(request, headers=headers)

    def _transport_to(self, deployment: Deployment, provider: Provider) -> Transport:
        if provider.transport is None:
            return self._transport
        if deployment.account not in self._own_transports:
            self._own_transports[deployment.account] = provider.transport(deployment)
        return self._own_transports[deployment.account]


async def _opened(answer: Answer, deployment: Deployment) -> Opened:
    first = await answer.chunk()
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "text/html":
        raise UpstreamProtocolError(
            f"{deployment.provider} answered with a web page: check the deployment's base_url"
        )
    return Opened(answer=answer, first=first, content_type=content_type)
