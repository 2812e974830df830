"""Compaction: a summary, written by the model itself, in the place of what came before."""

from gateway.core.compaction.summarising import Summarising
from gateway.core.compaction.summary import Summaries, Summary
from gateway.core.compaction.transcript import ask_for_summary
from gateway.core.compaction.window import recent, triggered, unfold

__all__ = [
    "Summaries",
    "Summarising",
    "Summary",
    "ask_for_summary",
    "recent",
    "triggered",
    "unfold",
]
