"""A second and simpler reading of recorded Chat Completions, by the rules that vendors follow.

It is done with plain JSON: no code of the gateway takes part.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from .account import Account, Call, Citation, as_json, citations_of

STATUS = {
    "length": ("incomplete", "max_output_tokens"),
    "model_length": ("incomplete", "max_output_tokens"),
    "content_filter": ("incomplete", "content_filter"),
    "refusal": ("incomplete", "content_filter"),
}
COMPLETED = ("completed", None)
BREAKDOWNS = {"error", "network_error", "insufficient_system_resource"}
ITEM = {"reasoning": "reasoning", "text": "message", "refusal": "message"}
CACHED = ("prompt_cache_hit_tokens", "num_cached_tokens", "cached_tokens")
MARKER = re.compile(r"\[(\d+)\]")
THOUGHT = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)


def events_of(body: bytes) -> list[dict[str, Any]]:
    """Return the JSON objects of a stream; `[DONE]` is none."""
    lines = body.decode(errors="replace").split("\n")
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [json.loads(text) for text in data if text.startswith("{")]


def each(chunks: Iterable[Mapping[str, Any]], name: str) -> Iterator[Any]:
    """Yield the member `name` of the first choice wherever it is given."""
    for chunk in chunks:
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) == 0 and choice.get(name):
                yield choice[name]


def read_chat(body: bytes, *, stream: bool, think_tags: bool = False) -> Account:
    """Read an answer of Chat Completions: of its choices, the first.

    `think_tags` says that this upstream puts its reasoning into the text, between tags.
    """
    chunks = events_of(body) if stream else [json.loads(body)]
    messages = list(each(chunks, "delta" if stream else "message"))
    spoken = [piece for message in messages for piece in pieces_of(message)]
    text = "".join(said for kind, said in spoken if kind == "text")
    reasoning = "".join(said for kind, said in spoken if kind == "reasoning")
    calls, order = CallLog(), list[str]()
    if think_tags and (thought := THOUGHT.match(text)):
        reasoning, text = thought[1], text[thought.end() :]
        order = ["reasoning"]
    for message in messages:
        order += [ITEM[kind] for kind, _ in pieces_of(message)]
        order += calls.add(message)
    status, reason = ending_of(chunks, done=b"[DONE]" in body and bool(order))
    return Account(
        status=status,
        reason=reason,
        order=tuple(in_order(order)),
        text=text,
        refusal="".join(said for kind, said in spoken if kind == "refusal"),
        reasoning=reasoning,
        calls=calls.calls,
        citations=(*citations_of(messages), *markers_of(chunks[-1] if chunks else {}, text)),
        logprobs=tuple(
            (token["token"], token["logprob"])
            for logprobs in each(chunks, "logprobs")
            for token in logprobs.get("content") or ()
        ),
        usage=usage_of(chunks),
    )


def in_order(order: Iterable[str]) -> Iterator[str]:
    """Yield the types of items: what is said in a row is one item, but each call is its own."""
    for kind, group in groupby(order):
        yield from group if kind.endswith("_call") else (kind,)


def pieces_of(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what `message`, or a part of it, says in words: the kind and the words.

    Where a voice speaks, its transcript is the text.
    """
    details = message.get("reasoning_details") or ()
    thought = message.get("reasoning_content") or message.get("reasoning")
    if thought := thought or "".join(d.get("text") or d.get("summary") or "" for d in details):
        yield "reasoning", thought
    content = message.get("content") or (message.get("audio") or {}).get("transcript") or ""
    for part in [{"text": content}] if isinstance(content, str) else content:
        thinking = part.get("thinking") or ""
        for thought in [{"text": thinking}] if isinstance(thinking, str) else thinking:
            if thought.get("text"):
                yield "reasoning", thought["text"]
        if part.get("text"):
            yield "text", part["text"]
    if message.get("refusal"):
        yield "refusal", message["refusal"]


class CallLog:
    """Collects calls from their pieces. A piece begins a call if it has an index or an id that is
    new, or no index and no id but a name.
    """

    def __init__(self) -> None:
        self.pieces: dict[Any, dict[str, Any]] = {}
        self.latest: Any = None

    def add(self, message: Mapping[str, Any]) -> Iterator[str]:
        """Take in what `message` calls, and yield an item type for each call that begins."""
        legacy = message.get("function_call")
        for piece in (*(message.get("tool_calls") or ()), *([{"function": legacy}] * bool(legacy))):
            said = piece.get("custom") or piece.get("function") or {}
            key = self._key(piece, said)
            if key not in self.pieces:
                custom = bool(piece.get("custom"))
                self.pieces[key] = {"id": "", "name": "", "said": "", "custom": custom}
                yield "custom_tool_call" if custom else "function_call"
            call = self.pieces[key]
            call["id"] = call["id"] or piece.get("id") or ""
            call["name"] = call["name"] or said.get("name") or ""
            arguments = said.get("input") or said.get("arguments") or ""
            call["said"] += arguments if isinstance(arguments, str) else json.dumps(arguments)

    def _key(self, piece: Mapping[str, Any], said: Mapping[str, Any]) -> Any:
        index, identifier = piece.get("index"), piece.get("id")
        if identifier:
            self.latest = (index, identifier)
        elif index is not None:
            known = [key for key in self.pieces if key[0] == index]
            self.latest = known[-1] if known else (index, "")
        elif said.get("name"):
            self.latest = (None, len(self.pieces))
        return self.latest

    @property
    def calls(self) -> tuple[Call, ...]:
        count = Counter(call["id"] for call in self.pieces.values())
        return tuple(
            Call(
                id=call["id"] if count[call["id"]] == 1 else "",
                name=call["name"],
                arguments=call["said"] if call["custom"] else as_json(call["said"]),
                custom=call["custom"],
            )
            for call in self.pieces.values()
        )


def markers_of(chunk: Mapping[str, Any], text: str) -> Iterator[Citation]:
    """Yield what markers such as `[1]` in `text` point at, in the sources that `chunk` lists."""
    urls = chunk.get("citations") or ()
    titles = {found["url"]: found["title"] for found in chunk.get("search_results") or ()}
    for marker in MARKER.finditer(text):
        if 0 < int(marker[1]) <= len(urls):
            url = urls[int(marker[1]) - 1]
            yield Citation(
                url=url, title=titles.get(url, ""), start=marker.start(), end=marker.end()
            )


def is_failure(chunk: Mapping[str, Any]) -> bool:
    places = [chunk, chunk.get("x_groq") or {}, *(chunk.get("choices") or ())]
    return any(place.get("error") for place in places) or chunk.get("object") == "error"


def ending_of(chunks: Iterable[Mapping[str, Any]], *, done: bool) -> tuple[str, str | None]:
    """Return the status and why it is not `completed`; the first marker of an end counts."""
    for chunk in chunks:
        if is_failure(chunk):
            return "failed", None
        for reason in each([chunk], "finish_reason"):
            return ("failed", None) if reason in BREAKDOWNS else STATUS.get(reason, COMPLETED)
    return COMPLETED if done else ("failed", None)


def usage_of(chunks: Iterable[Mapping[str, Any]]) -> tuple[int, int, int, int]:
    reported = [chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage") for chunk in chunks]
    usage = next((one for one in reversed(reported) if one), None)
    if usage is None:
        return 0, 0, 0, 0
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    cached = cached or next((usage[name] for name in CACHED if usage.get(name)), 0)
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    sent, answered = usage["prompt_tokens"], usage["completion_tokens"]
    if usage["total_tokens"] == sent + answered + thought:  # xAI: reasoning is not in it
        answered += thought
    return sent, cached, answered, thought
