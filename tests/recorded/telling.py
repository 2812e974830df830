"""What an answer of a vendor with an API of its own says, told so that ours can be compared.

A telling knows what an account does, and no more of the items than the kinds of what is said: how
a vendor's blocks are cut into messages, and which reasoning items only carry the vendor's state,
is the gateway's to choose. No code of the gateway takes part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .account import NO_USAGE, Call, Citation, call_of

OURS = {"function_call", "custom_tool_call"}
RUNS = {"message", "reasoning"}  # several in a row count as one


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens: of the input, of these those read from and written to a cache; of the output, of
    these those of reasoning.
    """

    sent: int = 0
    cached: int = 0
    written: int = 0
    answered: int = 0
    thought: int = 0


class Telling(Struct, frozen=True, kw_only=True):
    """What was said. `order` are the kinds of it; `hosted` what was done by the vendor's tools,
    each by the type of its item and what it was about; the offsets of `citations` count in `text`.
    """

    status: str
    reason: str | None = None
    order: tuple[str, ...] = ()
    text: str = ""
    refused: bool = False
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    hosted: tuple[tuple[str, str], ...] = ()
    citations: tuple[Citation, ...] = ()
    logprobs: tuple[tuple[str, float], ...] = ()
    usage: Usage = Usage()


class Teller:
    """Takes down an answer in the order in which it says it."""

    def __init__(self) -> None:
        self.text = ""
        self.reasoning = ""
        self.order: list[str] = []
        self.calls: list[Call] = []
        self.hosted: list[tuple[str, str]] = []
        self.citations: list[Citation] = []

    def say(self, text: str, sources: Iterable[tuple[str, str]] = ()) -> None:
        """Take down words, and the URLs and titles of all that they are taken from."""
        start = len(self.text)
        self.text += text
        self._follow("message" if text else "")
        self.citations += [
            Citation(url=url, title=title, start=start, end=len(self.text))
            for url, title in sources
        ]

    def think(self, text: str) -> None:
        self.reasoning += text
        self._follow("reasoning" if text else "")

    def call(self, identifier: str, name: str, arguments: Any) -> None:
        self.calls.append(Call(id=identifier, name=name, arguments=arguments))
        self._follow("function_call")

    def host(self, kind: str, about: str = "") -> None:
        self.hosted.append((kind, about))

    def tell(
        self, status: str, reason: str | None, usage: Usage, *, refused: bool = False
    ) -> Telling:
        if refused:
            self._follow("message")
        names = Counter(call.id for call in self.calls)
        return Telling(
            status=status,
            reason=reason,
            order=tuple(self.order),
            text=self.text,
            refused=refused,
            reasoning=self.reasoning,
            calls=tuple(
                call if names[call.id] == 1 else replace(call, id="") for call in self.calls
            ),
            hosted=tuple(sorted(self.hosted)),
            citations=tuple(self.citations),
            usage=usage,
        )

    def _follow(self, kind: str) -> None:
        if kind and not (kind in RUNS and self.order[-1:] == [kind]):
            self.order.append(kind)


def read_telling(response: Mapping[str, Any]) -> Telling:
    """Read a response of the gateway; one that failed early has no usage."""
    teller, logprobs, refused = Teller(), list[tuple[str, float]](), False
    for item in response["output"]:
        if item["type"] in OURS:
            call = call_of(item)
            teller.call(call.id, call.name, call.arguments)
        elif item["type"] == "reasoning":
            parts = (*item["summary"], *(item.get("content") or ()))
            teller.think("".join(part["text"] for part in parts))
        elif item["type"] != "message":
            teller.host(item["type"], subject_of(item))
        for part in item["content"] if item["type"] == "message" else ():
            refused = refused or part["type"] == "refusal"
            teller.citations += cited_in(part, len(teller.text))
            teller.say(part.get("text") or "")
            logprobs += [(one["token"], one["logprob"]) for one in part.get("logprobs") or ()]
    details = response["incomplete_details"] or {}
    usage = usage_of(response["usage"] or NO_USAGE)
    told = teller.tell(response["status"], details.get("reason"), usage, refused=refused)
    return replace(told, logprobs=tuple(logprobs))


def cited_in(part: Mapping[str, Any], offset: int) -> Iterable[Citation]:
    """Return what `part` cites by a URL; `offset` is that of its text."""
    return [
        Citation(
            url=one["url"],
            title=one["title"],
            start=offset + one["start_index"],
            end=offset + one["end_index"],
        )
        for one in part.get("annotations") or ()
        if one["type"] == "url_citation"
    ]


def subject_of(item: Mapping[str, Any]) -> str:
    """Say what a hosted tool was used for."""
    match item["type"]:
        case "web_search_call":
            return item["action"].get("query") or item["action"].get("url") or ""
        case "code_interpreter_call":
            return item["code"] or ""
        case "mcp_call":
            return f"{item['server_label']}/{item['name']}"
        case _:
            return ""


def usage_of(usage: Mapping[str, Any]) -> Usage:
    return Usage(
        sent=usage["input_tokens"],
        cached=usage["input_tokens_details"]["cached_tokens"],
        written=usage["input_tokens_details"].get("cache_write_tokens") or 0,
        answered=usage["output_tokens"],
        thought=usage["output_tokens_details"]["reasoning_tokens"],
    )


def without_minted(made: Telling, told: Telling) -> Telling:
    """Return `made` without the ids that calls got here, because `told` has none for them."""
    calls = [
        replace(call, id="") if heard.id == "" and call.id.startswith("call_") else call
        for call, heard in zip(made.calls, told.calls, strict=False)
    ]
    return replace(made, calls=(*calls, *made.calls[len(calls) :]))
