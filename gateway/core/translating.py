"""The calls of models that one request takes where the upstream does not speak Responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial

from msgspec import Struct

from gateway.core.backends import Backends
from gateway.core.compaction import users_words
from gateway.core.continuing import Continuing
from gateway.core.counting import estimate
from gateway.core.draft import Draft, fitted
from gateway.core.exchange import Whole
from gateway.core.intake import Intake
from gateway.core.records import with_ids
from gateway.core.trace import Trace
from gateway.core.translated import Translated
from gateway.core.translation import Translation
from gateway.core.turn import Turn
from gateway.ids import Ids, Seal
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Dialect, continues, counts, limits
from gateway.plugin.transport import Answer
from gateway.stream.assembler import Assembler
from gateway.types.response import CompactedResponse, InputTokenCount, Response
from gateway.types.wire import encode

__all__ = ["ESTIMATED", "Begun", "Round", "Translating", "Workbench"]

ESTIMATED = "x-gateway-estimated"


class Workbench(Struct, frozen=True, kw_only=True):
    """What all requests need on the translating path."""

    backends: Backends
    ids: Ids
    seal: Seal


class Begun(Struct, frozen=True, kw_only=True):
    """A model's answer that has begun; `first` are the events up to the first thing it says.

    `headers` say what was dropped of the request, and what the provider allows.
    """

    headers: Mapping[str, str]
    answer: Answer
    translation: Translation
    first: bytes


class Round(Struct, frozen=True, kw_only=True):
    """One of several calls of the model for one response, which `assembler` makes of them; `shape`
    makes its draft of that for the whole.
    """

    assembler: Assembler
    shape: Callable[[Draft], Draft]


class Translating:
    """One request on its way to the models that answer it, on whichever deployment it is tried.

    A summary that had to be made before the answer is made once.
    """

    def __init__(self, intake: Intake, turn: Turn | None, trace: Trace, bench: Workbench) -> None:
        self._intake = intake
        self._turn = turn
        self._trace = trace
        self._bench = bench

    @cached_property
    def _translated(self) -> Translated:
        return Translated(self._intake, self._bench.ids, self._bench.seal, self._turn)

    async def begin(
        self, deployment: Deployment, dialect: Dialect, round: Round | None = None
    ) -> Begun:
        """Return the answer of `deployment`, or that of one `round`; one that is no stream is read
        to its end.

        Raises `InvalidRequestError` for what cannot be honoured, and `UpstreamError`.
        """

        async def ask(draft: Draft) -> Begun:
            return await self._ask(draft, deployment, dialect, round)

        drafting = self._translated.drafting
        if summary := drafting.due():
            aside = await fitted(summary, ask)
            aside.answer.close()
            drafting.compact(aside.translation.response)
        return await fitted(round.shape(drafting.draft) if round else drafting.draft, ask)

    def assembler(self) -> Assembler:
        """Return what makes one response of the answers of several rounds."""
        return Assembler(
            self._translated.begun(),
            self._bench.ids.mint,
            self._bench.ids.now,
        )

    @property
    def draft(self) -> Draft:
        """The call of the model that makes the answer."""
        return self._translated.drafting.draft

    def queued(
        self,
        deployment: Deployment,
        dialect: Dialect,
        shape: Callable[[Draft], Draft] | None = None,
    ) -> tuple[Response, Mapping[str, str]]:
        """Return the response before anybody makes it, and the headers of the answer.

        Raises `InvalidRequestError` for what `deployment` would refuse of the draft, `shape`d if
        that is given.
        """
        draft = shape(self.draft) if shape else self.draft
        headers = self._translated.prepare(draft, deployment, dialect).headers
        return self._translated.begun(), headers

    async def count(
        self,
        deployment: Deployment,
        dialect: Dialect,
        shape: Callable[[Draft], Draft] | None = None,
    ) -> Whole:
        """Return how many input tokens the request has, `shape`d if that is given: by the
        provider's own count, or else by estimate. Raises like `begin`.
        """
        draft = shape(self.draft) if shape else self.draft
        prepared = self._translated.prepare(draft, deployment, dialect)
        headers = dict(prepared.headers)
        if counts(dialect):
            question = dialect.encode_count(prepared.call)
            opened = await self._bench.backends.open(deployment, question)
            self._trace.first_byte()
            try:
                tokens = dialect.read_count(opened.first + await opened.answer.body())
            finally:
                opened.answer.close()
        else:
            tokens = estimate(prepared.call.request)
            headers[ESTIMATED] = "input_tokens"
        return Whole(body=encode(InputTokenCount(input_tokens=tokens)), headers=headers)

    async def settle(self, response: Response) -> Response:
        """Return `response` as the client is to see it, kept by then. Raises `StoreError`."""
        return await self._translated.settle(response)

    async def whole(self, begun: Begun) -> Whole:
        """Return an answer that has been read to its end. Raises `StoreError`."""
        begun.answer.close()
        translation = begun.translation
        if self._intake.envelope.operation == "compact":
            body = encode(self._compacted(translation.response))
        else:
            body = encode(await self.settle(translation.response))
        return Whole(
            body=body,
            headers=begun.headers,
            outcome=translation.outcome,
            usage=translation.usage,
        )

    async def _ask(
        self, draft: Draft, deployment: Deployment, dialect: Dialect, round: Round | None
    ) -> Begun:
        prepared = self._translated.prepare(draft, deployment, dialect)
        opened = await self._bench.backends.open(deployment, prepared.request)
        self._trace.first_byte()
        answer = opened.answer
        try:
            translator = dialect.translator(prepared.call)
            if round is None or draft.aside:
                translation = self._translated.translation(prepared, translator, opened)
            else:
                translation = self._translated.part(prepared, translator, opened, round.assembler)
            if continues(translator):
                ask = partial(self._bench.backends.open, deployment)
                answer = Continuing(opened.answer, translation, translator, ask)
            first = await translation.begin(opened.first, answer)
            if draft.aside or not self._intake.stream:
                await translation.drain(answer)
        except BaseException:
            answer.close()
            raise
        headers = dict(prepared.headers)
        if limits(dialect):
            headers |= dialect.rate_limits(opened.answer.headers)
        return Begun(headers=headers, answer=answer, translation=translation, first=first)

    def _compacted(self, response: Response) -> CompactedResponse:
        """Return what users said, and the compaction of everything else."""
        items = with_ids(self._translated.drafting.draft.items, self._bench.ids.mint)
        return CompactedResponse(
            id=response.id,
            created_at=response.created_at,
            output=(*users_words(items), *response.output),
            usage=response.usage,
        )
