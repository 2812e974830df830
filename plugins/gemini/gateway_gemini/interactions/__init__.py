"""Google's Interactions API, which speaks of steps where generateContent speaks of parts."""

from gateway_gemini.interactions.dialect import InteractionsDialect

__all__ = ["InteractionsDialect"]
