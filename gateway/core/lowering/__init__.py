"""Tools that an upstream does not know, turned into functions, and their calls turned back."""

from gateway.core.lowering.lowered import Lowered, lower

__all__ = ["Lowered", "lower"]
