"""Calls to upstreams that do not speak Responses: what is asked is checked, encoded, and read
back as deltas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from gateway.core.backends import Opened
from gateway.core.carriers import Carriers
from gateway.core.intake import Intake, decode
from gateway.core.lowering import Lowered, lower
from gateway.core.pruning import find, prune
from gateway.core.translation import Translation
from gateway.core.turn import Turn
from gateway.errors import InvalidRequestError
from gateway.ids import Ids, Seal
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Call, Dialect, UpstreamRequest
from gateway.plugin.support import Verdict
from gateway.stream.assembler import Assembler
from gateway.stream.frames import WholeBody
from gateway.types.request import Request
from gateway.types.response import Response, start_response

__all__ = ["DROPPED_PARAMS", "Prepared", "Translated"]

DROPPED_PARAMS = "x-gateway-dropped-params"

_UNREAD = frozenset({"client_metadata"})  # Codex's own bookkeeping
_NAME = re.compile(r"[\w.-]{1,64}", re.ASCII).fullmatch  # what a header may repeat
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode


class Prepared(Struct, frozen=True, kw_only=True):
    """A call that is ready to go: what is sent, and what it takes to read the answer.

    `dropped` are the JSON paths of what the upstream does not get to know.
    """

    request: UpstreamRequest
    call: Call
    lowered: Lowered
    carriers: Carriers
    dropped: tuple[str, ...]

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer says of parameters that had to be dropped."""
        return {DROPPED_PARAMS: ", ".join(self.dropped)} if self.dropped else {}


class Translated:
    """One request for a translating dialect, on whichever deployments it is tried."""

    def __init__(self, intake: Intake, ids: Ids, seal: Seal, turn: Turn | None) -> None:
        """Raises `InvalidRequestError` for an operation that only native upstreams have."""
        if turn is None or intake.envelope.operation != "create":
            raise InvalidRequestError(
                f"{intake.envelope.operation} is not offered for the model {intake.model!r}:"
                " its provider has no such function",
                code="unsupported_operation",
            )
        self._intake = intake
        self._ids = ids
        self._seal = seal
        self._turn = turn

    @property
    def _request(self) -> Request:
        """The request with all that came before it in its input."""
        return self._turn.request

    @cached_property
    def _unknown(self) -> list[str]:
        """The members of the body that are no parameters: clients send them, nobody reads them."""
        members = decode(_decode_members, self._intake.envelope.body)
        known = {*Request.__struct_fields__, *_UNREAD}
        return [name if _NAME(name) else "?" for name in members if name not in known]

    def prepare(self, deployment: Deployment, dialect: Dialect) -> Prepared:
        """Return the call to `deployment`. Raises `InvalidRequestError` for what cannot be
        honoured.
        """
        if self._request.background:
            raise InvalidRequestError(
                "background cannot be used here", code="unsupported_parameter", param="background"
            )
        verdicts = tuple(dialect.check(self._request, deployment))
        dropped = self._droppable(verdicts, deployment)
        carriers = Carriers(self._seal, self._intake.tenant, deployment)
        lowered = lower(carriers.open(prune(self._request, dropped)), self._emulated(verdicts))
        call = Call(request=lowered.request, model=deployment.model, deployment=deployment)
        return Prepared(
            request=dialect.encode(call),
            call=call,
            lowered=lowered,
            carriers=carriers,
            dropped=(*self._unknown, *map(self._turn.param, dropped)),
        )

    def translation(self, prepared: Prepared, dialect: Dialect, opened: Opened) -> Translation:
        """Return the reader of the answer `opened` to the call."""
        is_json = opened.content_type == "application/json"
        response = start_response(
            self._turn.asked,
            id=self._turn.response_id,
            model=self._intake.model,
            created_at=int(self._ids.now()),
        )
        response = replace(response, store=self._turn.kept)
        return Translation(
            WholeBody() if is_json else prepared.request.framing(),
            prepared.lowered.restoring(dialect.translator(prepared.call)),
            Assembler(response, self._ids.mint, self._ids.now, prepared.carriers.seal),
            stream=self._intake.stream,
        )

    async def settle(self, response: Response) -> Response:
        """Return `response` as the client is to see it, kept by then. Raises `StoreError`."""
        return await self._turn.settle(response)

    def _emulated(self, verdicts: tuple[Verdict, ...]) -> frozenset[str]:
        """Return the types of what the dialect leaves to the gateway."""
        paths = (verdict.param for verdict in verdicts if verdict.action == "emulate")
        return frozenset(str(find(self._request, path)) for path in paths)

    def _droppable(self, verdicts: tuple[Verdict, ...], deployment: Deployment) -> tuple[str, ...]:
        """Return what the request goes on without. Raises `InvalidRequestError` for the first
        part that it must not go on without.
        """
        for verdict in verdicts:
            if verdict.action == "reject" and deployment.on_unsupported == "reject":
                param = self._turn.param(verdict.param)
                reason = f": {verdict.reason}" if verdict.reason else ""
                raise InvalidRequestError(
                    f"{param} is not supported by the model {self._intake.model!r}"
                    f" (provider {deployment.provider}){reason}",
                    code="unsupported_parameter",
                    param=param,
                )
        return tuple(verdict.param for verdict in verdicts if verdict.action != "emulate")
