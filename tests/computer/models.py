"""A model that knows what to do on the page, and refuses what its vendor would refuse.

What the vendors' models say in these tests is invented.
"""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.testing import Received, Script, event_stream, json_answer

Json = dict[str, Any]
Turn = Sequence[Json]


class ScriptedModel(ABC):
    """Plays its `turns`, one for each request; the last of them calls nothing.

    `screens` are the screenshots that the browser has made so far. `guest` is what the page tells
    its server when the turns have been carried out; `warnings` are what a person has to agree to.
    `asked` are the requests that were answered.
    """

    name: str
    path: str
    turns: Sequence[Turn]
    warnings: Sequence[str] = ()
    guest: Mapping[str, Any] = {"name": "Luna", "stars": 1, "knob": 560, "scrolled": 800}

    def __init__(self, screens: Sequence[bytes]) -> None:
        self.asked: list[Json] = []
        self._screens = screens

    def answer(self, received: Received) -> Script:
        """Answer with the next turn, or with what is wrong with the request."""
        body = received.json()
        if complaints := [*self.judge(body)]:
            return json_answer(self.refusal("; ".join(complaints)), status=400)
        turn = self.turns[len(self.asked)]
        self.asked.append(body)
        return event_stream(*map(self.frame, self.tell(turn)))

    @abstractmethod
    def judge(self, body: Json) -> Iterable[str]:
        """Yield what is wrong with a request."""

    @abstractmethod
    def refusal(self, message: str) -> Json:
        """Return the body of an answer that refuses a request."""

    @abstractmethod
    def tell(self, turn: Turn) -> Iterator[Json]:
        """Yield the events of a stream that says `turn`."""

    def frame(self, event: Json) -> bytes:
        return f"data: {json.dumps(event)}\n\n".encode()

    def told_again(self, turns: Sequence[Turn]) -> Iterator[str]:
        """Complain if `turns`, which came back, are not those that were told."""
        told = self.turns[: len(self.asked)]
        if len(turns) != len(told):
            yield f"{len(turns)} turns came back of {len(told)}"
        for before, now in zip(told, turns, strict=False):
            if self.essence(before) != self.essence(now):
                yield f"{json.dumps(before)} came back as {json.dumps(now)}"

    @abstractmethod
    def essence(self, turn: Turn) -> Turn:
        """Return what of `turn` has to come back unchanged."""

    def shown(self, images: Sequence[str]) -> Iterator[str]:
        """Complain if `images`, in base64, are not the last that the browser has shown."""
        latest = self._screens[-len(images) :] if images else ()
        if [*map(base64.b64decode, images)] != [*latest] or not images:
            yield f"of {len(images)} images some are not the last screenshots"


def without(value: Mapping[str, Any], *names: str) -> Json:
    return {name: member for name, member in value.items() if name not in names}
