"""Calls to upstreams that do not speak Responses: what is asked is checked, encoded, and read
back as deltas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

import msgspec
from msgspec import Raw, Struct

from gateway.core.backends import Opened
from gateway.core.carriers import Carriers
from gateway.core.intake import Intake, decode
from gateway.core.lowering import Lowered, lower
from gateway.core.pruning import find, prune
from gateway.core.translation import Translation
from gateway.errors import InvalidRequestError
from gateway.ids import Ids, Seal
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Call, Dialect, UpstreamRequest
from gateway.plugin.support import Verdict
from gateway.stream.assembler import Assembler
from gateway.stream.frames import WholeBody
from gateway.types.request import Request, decode_request
from gateway.types.response import start_response

__all__ = ["DROPPED_PARAMS", "Prepared", "Translated"]

DROPPED_PARAMS = "x-gateway-dropped-params"

_NO_HISTORY = "the gateway keeps no history for this model, send all of it as input"
_STATE = {
    "previous_response_id": _NO_HISTORY,
    "conversation": _NO_HISTORY,
    "background": "the gateway runs nothing in the background for this model",
    "store": "the gateway keeps no responses of this model, leave it out or send false",
}


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

    def __init__(self, intake: Intake, ids: Ids, seal: Seal) -> None:
        self._intake = intake
        self._ids = ids
        self._seal = seal

    @cached_property
    def _request(self) -> Request:
        return decode(decode_request, self._intake.envelope.body)

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
        if self._intake.envelope.operation != "create":
            raise InvalidRequestError(
                f"{self._intake.envelope.operation} is not offered for the model"
                f" {self._intake.model!r}: its provider {deployment.provider} has no such function",
                code="unsupported_operation",
            )
        self._refuse_state()
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
            dropped=(*self._unknown, *dropped),
        )

    def translation(self, prepared: Prepared, dialect: Dialect, opened: Opened) -> Translation:
        """Return the reader of the answer `opened` to the call."""
        is_json = opened.content_type == "application/json"
        response = start_response(
            self._request,
            id=self._ids.mint("resp"),
            model=self._intake.model,
            created_at=int(self._ids.now()),
        )
        return Translation(
            WholeBody() if is_json else prepared.request.framing(),
            prepared.lowered.restoring(dialect.translator(prepared.call)),
            Assembler(response, self._ids.mint, self._ids.now, prepared.carriers.seal),
            stream=self._intake.stream,
        )

    def _refuse_state(self) -> None:
        for name, reason in _STATE.items():
            if getattr(self._request, name):
                raise InvalidRequestError(
                    f"{name} cannot be used with the model {self._intake.model!r}: {reason}",
                    code="unsupported_parameter",
                    param=name,
                )

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
                reason = f": {verdict.reason}" if verdict.reason else ""
                raise InvalidRequestError(
                    f"{verdict.param} is not supported by the model {self._intake.model!r}"
                    f" (provider {deployment.provider}){reason}",
                    code="unsupported_parameter",
                    param=verdict.param,
                )
        return tuple(verdict.param for verdict in verdicts if verdict.action != "emulate")
