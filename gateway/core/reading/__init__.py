"""Upstreams that speak the Responses API, read as deltas: where the gateway itself runs tools."""

from gateway.core.reading.dialect import Reading, perform

__all__ = ["Reading", "perform"]
