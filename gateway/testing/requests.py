"""Rules for what a dialect makes of a request: nothing of it is lost without a word."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.errors import InvalidRequestError
from gateway.testing.preparing import Prepared
from gateway.testing.probes import SAYINGS, SETTINGS, words
from gateway.testing.samples import PARAMETERS, STRANGERS
from gateway.testing.suite import Json, Suite, complain, text_of

__all__ = ["RequestRules"]


class RequestRules(Suite):
    """What must hold for `check` and `encode` together, whatever the quirks of the deployment."""

    def test_what_nobody_knows_yet_is_not_let_pass(self) -> None:
        complain(
            "`check` rejects or drops items, parts, tools and choices of unknown types",
            (
                f"it says nothing of {path} in {text_of(request)}"
                for path, request in STRANGERS.items()
                if not self._prepare(request).goes_without(path)
            ),
        )

    def test_a_verdict_names_a_part_of_the_request_and_a_reason(self) -> None:
        complain(
            "a verdict has the JSON path of a part of the request, and a reason",
            (
                f"{verdict} on {text_of(request)}"
                for request in self._requests()
                for verdict in self._prepare(request).stray
            ),
        )

    def test_what_was_dropped_leaves_a_request_that_can_be_sent(self) -> None:
        complain(
            "`encode` writes what is left of a request that `check` dropped something of",
            (
                f"{error} (for {text_of(request)})"
                for request in self._requests()
                if (error := _refusal(prepared := self._prepare(request, on_unsupported="drop")))
                and not prepared.rejected
            ),
        )

    def test_a_setting_that_check_lets_pass_shows_in_the_request(self) -> None:
        complain(
            "what `check` says nothing of makes a difference in the encoded request, or is in"
            " `ignores` with a reason",
            (
                f"{setting.path} makes none: {text_of(setting.change)} and"
                f" {text_of(setting.instead)} are sent alike"
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

    def test_what_may_be_ignored_exists_and_has_a_reason(self) -> None:
        probed = {_pattern(setting.path) for setting in SETTINGS}
        probed |= {_pattern(path) for request in SAYINGS.values() for _, path in words(request)}
        complain(
            "`ignores` gives reasons, by paths that the kit looks at, such as input[].call_id",
            (
                f"{path}: {reason!r}"
                for path, reason in self.ignores.items()
                if path not in probed or not reason.strip()
            ),
        )

    def _lost(self, request: Json) -> Iterator[tuple[str, str]]:
        prepared = self._prepare(request)
        if prepared.rejected:
            return
        body = prepared.encode().body.decode()
        for word, path in words(request):
            if word not in body and not self._may_be_lost(prepared, path):
                yield word, path

    def _may_be_lost(self, prepared: Prepared, path: str) -> bool:
        return prepared.goes_without(path) or _pattern(path) in self.ignores

    def _body(self, request: Json) -> bytes:
        return self._prepare(request).encode().body

    def _requests(self) -> Iterator[Json]:
        yield from SAYINGS.values()
        yield from STRANGERS.values()
        yield from (request for setting in SETTINGS for request in setting.requests)
        tools = {"tools": PARAMETERS["tools"][0]}  # else there is nothing to choose from
        for name, values in PARAMETERS.items():
            yield from ({**tools, name: value} for value in values)


def _refusal(prepared: Prepared) -> str | None:
    """Return why a request that the operator lets go without what is rejected cannot go."""
    try:
        prepared.encode()
    except InvalidRequestError as error:
        return str(error)
    return None


def _pattern(path: str) -> str:
    """Return `path` as `ignores` names it: positions do not matter."""
    return "".join(piece.partition("[")[0] + "[]" * ("[" in piece) for piece in path.split("]"))
