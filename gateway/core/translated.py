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
from gateway.core.background import check
from gateway.core.carriers import Carriers, Sealing
from gateway.core.compaction import Summaries
from gateway.core.draft import Draft
from gateway.core.drafting import Drafting
from gateway.core.intake import Intake, decode
from gateway.core.lowering import Lowered, lower
from gateway.core.pruning import find, prune
from gateway.core.reading import Reading
from gateway.core.translation import Part, Translation
from gateway.core.turn import Turn
from gateway.errors import InvalidRequestError
from gateway.ids import Ids, Seal
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Call, Dialect, Translator, UpstreamRequest
from gateway.plugin.support import Verdict
from gateway.stream.assembler import Assembler
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

    draft: Draft
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
        """Raises `InvalidRequestError` for an operation that only native upstreams have, and for
        compactions that are not to be understood.
        """
        if turn is None:
            raise InvalidRequestError(
                f"{intake.envelope.operation} is not offered for the model {intake.model!r}:"
                " its provider has no such function",
                code="unsupported_operation",
            )
        self._intake = intake
        self._ids = ids
        self._seal = seal
        self._turn = turn
        summaries = Summaries(seal, intake.tenant)
        self.drafting = Drafting(turn, summaries, intake.envelope.operation)

    @cached_property
    def _unknown(self) -> list[str]:
        """The members of the body that are no parameters: clients send them, nobody reads them."""
        members = decode(_decode_members, self._intake.envelope.body)
        known = {*Request.__struct_fields__, *_UNREAD}
        return [name if _NAME(name) else "?" for name in members if name not in known]

    def prepare(self, draft: Draft, deployment: Deployment, dialect: Dialect) -> Prepared:
        """Return the call to `deployment` for `draft`. Raises `InvalidRequestError` for what cannot
        be honoured.
        """
        check(self._turn.asked)
        request = draft.request
        verdicts = tuple(dialect.check(request, deployment))
        dropped = tuple(verdict.param for verdict in verdicts if verdict.action != "emulate")
        self._refuse(verdicts, draft, deployment)
        tenant, encrypted = self._intake.tenant, isinstance(dialect, Reading)
        carriers = Carriers(self._seal, tenant, deployment, encrypted=encrypted)
        lowered = lower(carriers.open(prune(request, dropped)), _emulated(request, verdicts))
        call = Call(request=lowered.request, model=deployment.model, deployment=deployment)
        return Prepared(
            draft=draft,
            request=dialect.encode(call),
            call=call,
            lowered=lowered,
            carriers=carriers,
            dropped=(*self._unknown, *(self.drafting.param(draft, path) for path in dropped)),
        )

    def translation(
        self, prepared: Prepared, translator: Translator, opened: Opened
    ) -> Translation:
        """Return what reads the answer `opened` to the call, with a fresh `translator` for it."""
        draft, seal = prepared.draft, prepared.carriers.seal
        return Translation(
            opened.framing(prepared.request),
            draft.read(prepared.lowered.restoring(translator)),
            Assembler(self.begun(), self._ids.mint, self._ids.now, seal, draft.appendix),
            stream=self._intake.stream and not draft.aside,
        )

    def part(
        self, prepared: Prepared, translator: Translator, opened: Opened, assembler: Assembler
    ) -> Part:
        """Return what reads the answer `opened` as a part of what `assembler` makes."""
        restored = prepared.lowered.restoring(translator)
        return Part(
            opened.framing(prepared.request),
            prepared.draft.read(Sealing(restored, prepared.carriers)),
            assembler,
            stream=self._intake.stream,
        )

    def begun(self) -> Response:
        """Return the response before the model has said anything."""
        response = start_response(
            self._turn.asked,
            id=self._turn.response_id,
            model=self._intake.model,
            created_at=self._turn.created_at,
        )
        return replace(response, store=self._turn.kept)

    async def settle(self, response: Response) -> Response:
        """Return `response` as the client is to see it, kept by then. Raises `StoreError`."""
        return await self._turn.settle(response)

    def _refuse(self, verdicts: tuple[Verdict, ...], draft: Draft, deployment: Deployment) -> None:
        """Raise `InvalidRequestError` for the first part that must not be left out."""
        for verdict in verdicts:
            if verdict.action == "reject" and deployment.on_unsupported == "reject":
                param = self.drafting.param(draft, verdict.param)
                reason = f": {verdict.reason}" if verdict.reason else ""
                raise InvalidRequestError(
                    f"{param} is not supported by the model {self._intake.model!r}"
                    f" (provider {deployment.provider}){reason}",
                    code="unsupported_parameter",
                    param=param,
                )


def _emulated(request: Request, verdicts: tuple[Verdict, ...]) -> frozenset[str]:
    """Return the types of what the dialect leaves to the gateway."""
    paths = (verdict.param for verdict in verdicts if verdict.action == "emulate")
    return frozenset(str(find(request, path)) for path in paths)
