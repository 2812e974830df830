"""What the gateway's core does with a request between `check` and `encode`, without the core."""

from __future__ import annotations

from functools import cached_property

from msgspec.structs import replace

from gateway.core.lowering import Lowered, lower
from gateway.core.pruning import find, prune
from gateway.plugin import Call, Dialect, Translator, UpstreamRequest, Verdict

__all__ = ["Prepared"]


class Prepared:
    """A call as `encode` gets it, and what `check` said of the one before.

    What was rejected is still in the call: the core would have answered with a 400.
    """

    def __init__(self, dialect: Dialect, call: Call) -> None:
        self._dialect = dialect
        self._asked = call
        self.verdicts = tuple(dialect.check(call.request, call.deployment))

    @property
    def rejected(self) -> list[str]:
        return [verdict.param for verdict in self.verdicts if verdict.action == "reject"]

    @property
    def stray(self) -> list[Verdict]:
        """The verdicts that give no reason, or that are about nothing in the request."""
        return [
            verdict
            for verdict in self.verdicts
            if not (verdict.reason and self._has(verdict.param))
        ]

    @property
    def call(self) -> Call:
        """The call without what was dropped, and with functions for what was left to the core.

        Raises `InvalidRequestError` if that cannot be done.
        """
        return replace(self._asked, request=self._lowered.request)

    def encode(self) -> UpstreamRequest:
        return self._dialect.encode(self.call)

    def translator(self) -> Translator:
        return self._lowered.restoring(self._dialect.translator(self.call))

    def goes_without(self, path: str) -> bool:
        """Say whether `check` refuses or drops what stands at `path`, or what holds it."""
        return any(
            _holds(verdict.param.removesuffix(".type"), path)
            for verdict in self.verdicts
            if verdict.action != "emulate"
        )

    def _has(self, path: str) -> bool:
        try:
            find(self._asked.request, path)
        except LookupError:
            return False
        return True

    @cached_property
    def _lowered(self) -> Lowered:
        relaxed = self._asked.deployment.on_unsupported == "drop"
        droppable = ("drop", "reject") if relaxed else ("drop",)
        request = self._asked.request
        emulated = {
            str(find(request, verdict.param))
            for verdict in self.verdicts
            if verdict.action == "emulate"
        }
        dropped = [verdict.param for verdict in self.verdicts if verdict.action in droppable]
        return lower(prune(request, dropped), emulated)


def _holds(owner: str, path: str) -> bool:
    return path == owner or path.startswith((f"{owner}.", f"{owner}["))
