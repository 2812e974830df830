"""From a request and all that came before it to the calls of a model that it takes."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from gateway.core.compaction import (
    Charging,
    Summaries,
    Summarising,
    Summary,
    ask_for_summary,
    divided,
    replaced,
    threshold_of,
    triggered,
    unfold,
)
from gateway.core.counting import estimate, weight
from gateway.core.draft import Draft, Items
from gateway.core.records import input_items
from gateway.core.turn import Turn
from gateway.plugin.dialect import Operation
from gateway.types.items import Compaction, CompactionTrigger, OutputItem
from gateway.types.request import Request
from gateway.types.response import Response, Usage

__all__ = ["Drafting"]


class Drafting:
    """Owns what is asked of models for one turn: `draft` is the call that makes the answer.

    Raises `InvalidRequestError` for a compaction that cannot be read, or one that is asked for in
    a way that is not to be understood.
    """

    def __init__(self, turn: Turn, summaries: Summaries, operation: Operation) -> None:
        self._turn = turn
        self._summaries = summaries
        self._items = input_items(turn.request)
        asked = triggered(input_items(turn.asked))
        items = unfold(self._items, summaries, turn.param)
        if any(isinstance(item, CompactionTrigger) for item in items):
            items = tuple(item for item in items if not isinstance(item, CompactionTrigger))
        self._compacts = operation == "compact" or asked
        self._threshold = threshold_of(turn.asked.context_management)
        if self._compacts:
            wishes = (turn.asked.instructions or "") if operation == "compact" else ""
            self.draft = self._to_compact(items, wishes)
        else:
            shrinks = turn.asked.truncation == "auto"
            self.draft = Draft(items=items, write=self._written, shrinks=shrinks)

    def param(self, draft: Draft, path: str) -> str:
        """Return what the client calls the part of the request of `draft` at `path`."""
        return self._turn.param(draft.param(path, self._items))

    def due(self) -> Draft | None:
        """Return the call for a summary that has to be made before, if the input is so long."""
        if self._compacts or self._threshold is None or self._size() <= self._threshold:
            return None
        parts = divided(self.draft.items)
        return self._to_summarise(parts[0]) if parts else None

    def compact(self, made: Response) -> None:
        """Go on with what was `made` of the summary that was due."""
        parts = divided(self.draft.items)
        (compaction,) = made.output
        assert parts is not None
        assert isinstance(compaction, Compaction)
        text, recent, spent = compaction.encrypted_content, parts[1], made.usage or Usage()

        def told(output: tuple[OutputItem, ...]) -> Compaction:
            summary = Summary(text=text, items=(*recent, *output))
            return Compaction(encrypted_content=self._summaries.seal(summary))

        self._compacts = True
        self.draft = replace(
            self.draft,
            items=replaced(self.draft.items, Summary(text=text, items=recent)),
            read=partial(Charging, spent=spent),
            appendix=told,
        )

    def _written(self, items: Items) -> Request:
        if items is self._items:
            return self._turn.request
        return replace(self._turn.request, input=items)

    def _to_compact(self, items: Items, wishes: str) -> Draft:
        """Return the call whose answer is a compaction, and nothing else."""

        def seal(text: str) -> str:
            return self._summaries.seal(Summary(text=text, users_stay=True))

        return Draft(
            items=items,
            write=lambda told: ask_for_summary(self._turn.asked, told, wishes),
            read=partial(Summarising, seal=seal),
            shrinks=True,
        )

    def _to_summarise(self, items: Items) -> Draft:
        """Return the call whose answer is a summary that only the gateway sees."""
        return Draft(
            items=items,
            write=lambda told: ask_for_summary(self._turn.asked, told),
            read=partial(Summarising, seal=str),
            shrinks=True,
            aside=True,
        )

    def _size(self) -> int:
        """Return how many tokens the input has: by the provider's own count of the turn before, or
        else by estimate.
        """
        if self._turn.prior.tokens:
            return self._turn.prior.tokens + weight(self._items[len(self._turn.prior.items) :])
        return estimate(self.draft.request)
