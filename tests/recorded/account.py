"""What an answer says, told so that the upstream's telling and ours can be compared.

Read with plain JSON only: no code of the gateway takes part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

NO_USAGE: Mapping[str, Any] = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
}


class Call(Struct, frozen=True, kw_only=True):
    """A call of a function, or of a custom tool, whose input is no JSON.

    `id` is empty where the upstream gave none, or the same to several calls.
    """

    id: str
    name: str
    arguments: Any
    custom: bool = False


class Citation(Struct, frozen=True, kw_only=True):
    url: str
    title: str
    start: int
    end: int


class Account(Struct, frozen=True, kw_only=True):
    """What was said: `order` are the types of the output items, `usage` the tokens of the input,
    of these those from a cache, of the output, and of these those of reasoning.
    """

    status: str
    reason: str | None = None
    order: tuple[str, ...] = ()
    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    citations: tuple[Citation, ...] = ()
    logprobs: tuple[tuple[str, float], ...] = ()
    usage: tuple[int, int, int, int] = (0, 0, 0, 0)


def as_json(text: str) -> Any:
    """Return the value of `text`; text that was cut off stands for itself, and none for `{}`."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def citations_of(messages: Iterable[Mapping[str, Any]]) -> Iterator[Citation]:
    for message in messages:
        for annotation in message.get("annotations") or ():
            cited = annotation.get(annotation["type"]) or annotation
            yield Citation(
                url=cited["url"],
                title=cited.get("title") or "",
                start=cited.get("start_index") or 0,
                end=cited.get("end_index") or 0,
            )


def read_response(response: Mapping[str, Any]) -> Account:
    """Read a response; one that failed early has no usage."""
    items, usage = response["output"], response["usage"] or NO_USAGE
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    texts = [part for part in parts if part["type"] == "output_text"]
    thoughts = [item for item in items if item["type"] == "reasoning"]
    return Account(
        status=response["status"],
        reason=(response["incomplete_details"] or {}).get("reason"),
        order=tuple(item["type"] for item in items),
        text="".join(part["text"] for part in texts),
        refusal="".join(part["refusal"] for part in parts if part["type"] == "refusal"),
        reasoning="".join(
            part["text"]
            for item in thoughts
            for part in (*item["summary"], *(item.get("content") or ()))
        ),
        calls=tuple(call_of(item) for item in items if item["type"].endswith("_call")),
        citations=tuple(citation for part in texts for citation in citations_of([part])),
        logprobs=tuple(
            (token["token"], token["logprob"]) for part in texts for token in part["logprobs"]
        ),
        usage=(
            usage["input_tokens"],
            usage["input_tokens_details"]["cached_tokens"],
            usage["output_tokens"],
            usage["output_tokens_details"]["reasoning_tokens"],
        ),
    )


def call_of(item: Mapping[str, Any]) -> Call:
    custom = item["type"] == "custom_tool_call"
    return Call(
        id=item["call_id"],
        name=item["name"],
        arguments=item["input"] if custom else as_json(item["arguments"]),
        custom=custom,
    )


def without_minted(made: Account, told: Account) -> Account:
    """Return `made` without the ids that calls got here, because `told` has none for them."""
    calls = [
        replace(call, id="") if heard.id == "" and call.id.startswith("call_") else call
        for call, heard in zip(made.calls, told.calls, strict=False)
    ]
    return replace(made, calls=(*calls, *made.calls[len(calls) :]))
