"""Compaction: a summary, written by the model itself, in the place of what came before."""

from gateway.core.compaction.charging import Charging, total
from gateway.core.compaction.summarising import Summarising
from gateway.core.compaction.summary import Summaries, Summary
from gateway.core.compaction.telling import may_hold_summaries, told_to_natives
from gateway.core.compaction.threshold import threshold_of
from gateway.core.compaction.transcript import ask_for_summary
from gateway.core.compaction.window import divided, replaced, triggered, unfold, users_words

__all__ = [
    "Charging",
    "Summaries",
    "Summarising",
    "Summary",
    "ask_for_summary",
    "divided",
    "may_hold_summaries",
    "replaced",
    "threshold_of",
    "told_to_natives",
    "total",
    "triggered",
    "unfold",
    "users_words",
]
