"""The native path: the upstream speaks Responses, so its bytes pass and only names and ids
change.
"""

from __future__ import annotations

from msgspec import Raw, Struct

from gateway.core.backends import Opened
from gateway.core.compaction import Summaries, may_hold_summaries, told_to_natives
from gateway.core.exchange import Whole
from gateway.core.headers import forwarded_headers, returned_headers
from gateway.core.intake import Intake
from gateway.core.router import Router
from gateway.core.turn import Turn
from gateway.errors import InvalidRequestError, UpstreamError, UpstreamProtocolError
from gateway.ids import Ids, Seal
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import NativeCall, NativeDialect, UpstreamRequest
from gateway.stream.relay import Relay
from gateway.stream.rewrite import Rewrite, read_names, rewritten, summary_of
from gateway.stream.splice import DROP, splice

__all__ = ["NativePath"]

_RENAMED = frozenset({"create", "retrieve", "cancel", "delete"})
"""The operations whose answers name a response."""


class _SealedIds(dict[str, str]):
    """The ids of one answer, by the upstream's: each lifecycle event has the same ones."""

    def __init__(self, seal: Seal, tenant: str, account: str) -> None:
        super().__init__()
        self._seal = seal
        self._tenant = tenant
        self._account = account

    def __missing__(self, upstream_id: str) -> str:
        sealed = self._seal.seal(self._tenant, self._account, upstream_id)
        self[upstream_id] = sealed
        return sealed


class NativePath(Struct, frozen=True, kw_only=True):
    """Writes calls to native upstreams and reads their answers; `shared` says that tenants share
    the gateway.
    """

    router: Router
    seal: Seal
    ids: Ids
    shared: bool

    def encode(
        self,
        intake: Intake,
        deployment: Deployment,
        dialect: NativeDialect,
        turn: Turn | None = None,
    ) -> UpstreamRequest:
        """Return the upstream request for `intake`, with what the gateway itself keeps of its
        context. Raises `InvalidRequestError`.
        """
        envelope = intake.envelope
        return dialect.encode(
            NativeCall(
                operation=envelope.operation,
                deployment=deployment,
                body=self._body(intake, deployment, turn),
                response_id=intake.response_id,
                query=envelope.query,
                headers=forwarded_headers(envelope.headers),
            )
        )

    def relay(
        self, intake: Intake, deployment: Deployment, opened: Opened, turn: Turn | None = None
    ) -> Relay:
        """Return the reader and writer of a streamed answer. Raises `UpstreamProtocolError` if
        it is no stream.
        """
        if opened.content_type != "text/event-stream":
            raise UpstreamProtocolError(
                f"{deployment.provider} answered a streamed request with"
                f" {opened.content_type or 'no content type'} instead of an event stream"
            )
        return Relay(self._rewrite(intake, deployment, turn), holds=turn is not None)

    async def whole(
        self, intake: Intake, deployment: Deployment, opened: Opened, turn: Turn | None = None
    ) -> Whole:
        """Return an answer in one piece. Raises `UpstreamProtocolError` if it is no JSON object."""
        try:
            body = opened.first + await opened.answer.body()
        except UpstreamError as error:
            error.begun = True
            raise
        names = read_names(body)
        summary = summary_of(names)
        if intake.envelope.operation in _RENAMED:
            body = rewritten(body, names, self._rewrite(intake, deployment, turn))
        return Whole(
            body=body,
            headers=returned_headers(opened.answer.headers),
            outcome=summary.status or "completed",
            usage=summary.usage,
        )

    def _body(self, intake: Intake, deployment: Deployment, turn: Turn | None) -> bytes:
        head = intake.head
        if not intake.model:
            return b""
        changes = turn.native_changes(deployment) if turn else {}
        if head.background and changes:
            raise InvalidRequestError(
                "the upstream cannot work in the background on what the gateway keeps",
                code="unsupported_parameter",
                param="background",
            )
        if head.conversation is not None and self.shared and not changes:
            raise InvalidRequestError(
                "conversations are not offered on a gateway with several keys:"
                " nothing would keep them apart",
                code="unsupported_parameter",
                param="conversation",
            )
        changes |= self._summaries_told(intake, changes.get("input"))
        if deployment.model != head.model:
            changes["model"] = deployment.model
        if intake.previous_id is not None:
            changes["previous_response_id"] = intake.previous_id
        body = intake.envelope.body
        if not changes:
            return body
        added = {name: value for name, value in changes.items() if value is not DROP}
        return splice(body, changes, additions=added)

    def _summaries_told(self, intake: Intake, items: object) -> dict[str, object]:
        """Return how the input changes, or the `items` in its place, if it holds compactions that
        were made here.
        """
        changed = bytes(items) if isinstance(items, Raw) else None
        if not may_hold_summaries(intake.envelope.body if changed is None else changed):
            return {}
        asked = bytes(intake.head.input) if changed is None else changed
        told = told_to_natives(asked, Summaries(self.seal, intake.tenant))
        return {} if told == asked else {"input": Raw(told)}

    def _rewrite(self, intake: Intake, deployment: Deployment, turn: Turn | None) -> Rewrite:
        account, tenant, alias = deployment.account, intake.tenant, intake.model

        def rename(upstream_model: str) -> str:
            if not alias:
                return self.router.alias(account, upstream_model)
            return upstream_model if alias == deployment.model else alias

        held = turn if turn is not None and turn.held(deployment) else None
        return Rewrite(
            seal=held.named if held else _SealedIds(self.seal, tenant, account).__getitem__,
            rename=rename,
            response_id=lambda: intake.envelope.response_id or self.ids.mint("resp"),
            model=alias,
            also=held.native_echo() if held else {},
        )
