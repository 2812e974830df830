"""Rules for what a dialect makes of a request: nothing of it is lost without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.core.pruning import find
from gateway.errors import InvalidRequestError
from gateway.plugin import Support, Verdict
from gateway.plugin.support import BY_THE_CORE
from gateway.testing.cases import call_of
from gateway.testing.preparing import Prepared
from gateway.testing.probes import SAYINGS, SETTINGS, words
from gateway.testing.samples import (
    ITEMS,
    PARAMETERS,
    STRANGERS,
    TOOLS,
    item_types,
    parameters,
    tool_types,
)
from gateway.testing.suite import Suite, complain
from gateway.types.request import decode_request

__all__ = ["RequestRules"]

_Json = dict[str, Any]


class RequestRules(Suite):
    """What must hold for `support`, `check` and `encode` of every dialect."""

    def test_the_table_speaks_of_every_parameter_item_and_tool(self) -> None:
        table = self.dialect.support
        complain(
            "`support` names all that a request can hold",
            (
                f"{kind} {name} is not in `support.{kind}`"
                for kind, wanted, named in (
                    ("parameters", {*parameters()}, table.parameters),
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

    def test_what_nobody_knows_yet_is_not_let_pass(self) -> None:
        complain(
            "`check` rejects or drops items, parts, tools and choices of unknown types",
            (
                f"it says nothing of {path} in {_json(request)}"
                for path, request in STRANGERS.items()
                if not self._prepare(request).goes_without(path)
            ),
        )

    def test_a_verdict_names_a_part_of_the_request_and_a_reason(self) -> None:
        complain(
            "a verdict has the JSON path of a part of the request, and a reason",
            (
                f"{verdict} on {_json(request)}"
                for request in self._requests()
                for verdict in self._prepare(request).verdicts
                if not (verdict.reason and _leads_somewhere(verdict, request))
            ),
        )

    def test_what_was_dropped_leaves_a_request_that_can_be_sent(self) -> None:
        """An operator may relax all that is rejected to what is dropped."""
        complain(
            "`encode` writes what is left of a request that `check` took something out of",
            (
                f"{error} (for {_json(request)})"
                for request in self._requests()
                if (error := self._refusal(self._prepare(request, relaxed=True)))
            ),
        )

    def test_a_setting_that_check_lets_pass_shows_in_the_request(self) -> None:
        complain(
            "what `check` says nothing of makes a difference in the encoded request, or is in"
            " `ignores` with a reason",
            (
                f"{setting.path} makes none: {_json(setting.change)} and"
                f" {_json(setting.instead)} are sent alike"
                for setting in SETTINGS
                if not self._may_be_lost(self._prepare(setting.requests[0]), setting.path)
                and self._body(setting.requests[0]) == self._body(setting.requests[1])
            ),
        )

    def test_no_word_of_a_request_gets_lost(self) -> None:
        complain(
            "what `check` says nothing of is in the encoded request, word by word, or is in"
            " `ignores` with a reason",
            (
                f"{title}: {word} at {path} is lost"
                for title, request in SAYINGS.items()
                for word, path in self._lost(request)
            ),
        )

    def _lost(self, request: _Json) -> Iterator[tuple[str, str]]:
        prepared = self._prepare(request)
        if prepared.rejected:
            return
        body = prepared.encode().body.decode()
        for word, path in words(request):
            if word not in body and not self._may_be_lost(prepared, path):
                yield word, path

    def _may_be_lost(self, prepared: Prepared, path: str) -> bool:
        return prepared.goes_without(path) or _pattern(path) in self.ignores

    def _judged(self, support: Support, param: str, request: _Json) -> Iterator[str]:
        """Yield what is wrong with the verdict on `request`, which consists of one part."""
        if support.action == "value" or support == BY_THE_CORE:
            return
        verdicts = self._prepare(request).verdicts
        actions = {verdict.action for verdict in verdicts if verdict.param == param}
        wanted = {support.action} - {"accept"}
        if actions != wanted:
            found = ", ".join(actions) or "nothing"
            yield f"the table says {support.action} and `check` {found} of {_json(request)}"

    def _prepare(self, request: _Json, *, relaxed: bool = False) -> Prepared:
        body = msgspec.json.encode({"model": "some-model", "input": "Hello", **request})
        call = call_of(decode_request(body), self.quirks)
        if relaxed:
            call = replace(call, deployment=replace(call.deployment, on_unsupported="drop"))
        return Prepared(self.dialect, call)

    def _body(self, request: _Json) -> bytes:
        return self._prepare(request).encode().body

    def _refusal(self, prepared: Prepared) -> str | None:
        try:
            prepared.encode()
        except InvalidRequestError as error:
            return str(error)
        return None

    def _requests(self) -> Iterator[_Json]:
        yield from SAYINGS.values()
        yield from STRANGERS.values()
        yield from (request for setting in SETTINGS for request in setting.requests)
        tools = {"tools": PARAMETERS["tools"][0]}  # else there is nothing to choose from
        for name, values in PARAMETERS.items():
            yield from ({**tools, name: value} for value in values)


def _plain(values: tuple[object, ...]) -> list[object]:
    return [msgspec.to_builtins(value) for value in values]


def _leads_somewhere(verdict: Verdict, request: Mapping[str, Any]) -> bool:
    body = msgspec.json.encode({"model": "some-model", "input": "Hello", **request})
    try:
        find(decode_request(body), verdict.param)
    except LookupError:
        return False
    return True


def _pattern(path: str) -> str:
    """Return `path` as `ignores` names it: positions do not matter."""
    return "".join(piece.partition("[")[0] + "[]" * ("[" in piece) for piece in path.split("]"))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
