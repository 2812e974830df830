"""The ways in which a client can create a response: each returns it whole at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import openai.types.responses as wire

import gateway
from gateway.stream.lifecycle import violations

__all__ = ["Create", "by_events", "by_functions", "by_streaming_functions", "by_the_helper"]

Create = Callable[..., Any]


def by_events(client: openai.OpenAI) -> Create:
    """Read the events of a stream, by the rules of streams."""

    def create(**parameters: Any) -> Any:
        stream: Any = client.responses.create(**parameters, stream=True)
        seen = list(stream)
        wrong = violations([event.to_dict() for event in seen])
        assert wrong == [], wrong
        return seen[-1].response

    return create


def by_the_helper(client: openai.OpenAI) -> Create:
    """Leave it to the strict helper of the SDK to read the events."""

    def create(**parameters: Any) -> wire.Response:
        with client.responses.stream(**parameters) as stream:
            return stream.get_final_response()

    return create


def by_functions(**parameters: Any) -> gateway.Response:
    """Use this package in this process."""
    return gateway.responses(**parameters)


def by_streaming_functions(**parameters: Any) -> Any:
    """Use this package in this process, and read the events of a stream."""
    seen = list(gateway.responses(**parameters, stream=True))
    wrong = violations(seen)
    assert wrong == [], wrong
    last: Any = seen[-1]
    return last.response
