"""Rules for a dialect's table of what a request can hold, and that `check` keeps to it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gateway.plugin import Support
from gateway.plugin.support import BY_THE_CORE
from gateway.testing.samples import (
    DETAILS,
    ITEMS,
    PARAMETERS,
    TOOLS,
    item_types,
    parameters,
    tool_types,
)
from gateway.testing.suite import Json, Suite, complain, text_of

__all__ = ["TableRules"]


class TableRules(Suite):
    """What must hold for `support`, and for `check` on a deployment without quirks."""

    def test_the_table_speaks_of_every_parameter_item_and_tool(self) -> None:
        table = self.dialect.support
        complain(
            "`support` names all that a request can hold",
            (
                f"{kind} {name} is not in `support.{kind}`"
                for kind, wanted, named in (
                    ("parameters", {*parameters()}, table.parameters),
                    ("details", {*DETAILS}, table.details),
                    ("items", item_types(), table.items),
                    ("tools", tool_types(), table.tools),
                )
                for name in sorted(wanted - named.keys())
            ),
        )

    def test_check_says_of_parameters_what_the_table_says(self) -> None:
        complain(
            "`check` gives the verdict on each parameter that `support.parameters` has",
            (
                complaint
                for name, support in self.dialect.support.parameters.items()
                for value in PARAMETERS.get(name, ())
                if value not in _plain(support.harmless)
                for complaint in self._judged(support, name, {name: value})
            ),
        )

    def test_check_says_of_details_what_the_table_says(self) -> None:
        complain(
            "`check` gives the verdict on each detail that `support.details` has",
            (
                complaint
                for name, request in DETAILS.items()
                if (support := self.dialect.support.details.get(name))
                for complaint in self._judged(support, name.replace("[]", "[0]"), request)
            ),
        )

    def test_check_says_of_items_what_the_table_says(self) -> None:
        complain(
            "`check` gives the verdict on each item that `support.items` has",
            (
                complaint
                for kind, item in ITEMS.items()
                if (support := self.dialect.support.items.get(kind))
                for complaint in self._judged(
                    support, "input[0].type", {"input": [{"type": kind, **item}]}
                )
            ),
        )

    def test_check_says_of_tools_what_the_table_says(self) -> None:
        complain(
            "`check` gives the verdict on each tool that `support.tools` has",
            (
                complaint
                for kind, tool in TOOLS.items()
                if (support := self.dialect.support.tools.get(kind))
                for complaint in self._judged(
                    support, "tools[0].type", {"tools": [{"type": kind, **tool}]}
                )
            ),
        )

    def _judged(self, support: Support, param: str, request: Json) -> Iterator[str]:
        """Yield what is wrong with the verdict on `request`, which consists of one part."""
        if support.action == "value" or support == BY_THE_CORE:
            return
        verdicts = self._prepare(request).verdicts
        actions = {verdict.action for verdict in verdicts if verdict.param == param}
        wanted = {support.action} - {"accept"}
        if actions != wanted:
            found = ", ".join(actions) or "nothing"
            yield f"the table says {support.action} and `check` {found} of {text_of(request)}"


def _plain(values: tuple[object, ...]) -> list[object]:
    return [msgspec.to_builtins(value) for value in values]
