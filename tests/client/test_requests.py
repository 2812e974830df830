"""What goes out: parameters as they are, objects as their JSON, and the extras of a call."""

from collections import UserDict
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qs

import pydantic
import pytest

import gateway
from gateway.testing.openai import ImitatedOpenAI

MODEL = "openai/o1-pro"
USER = {"type": "message", "role": "user", "content": "hi"}


class UserMessage(pydantic.BaseModel):
    kind: str = pydantic.Field(default="message", serialization_alias="type")
    role: str = "user"
    content: str
    status: str | None = None


@dataclass
class PlainMessage:
    type: str
    role: str
    content: str


class OwnMessage:
    def to_dict(self) -> dict[str, str]:
        return dict(USER)


def test_the_items_of_a_response_go_back_as_they_came(openai: ImitatedOpenAI) -> None:
    response = gateway.responses(model=MODEL, input="hi")
    gateway.responses(model=MODEL, input=[*response.output, USER])
    assert openai.requests[1].json()["input"] == [*response.to_dict()["output"], USER]


@pytest.mark.parametrize(
    "item",
    [
        UserMessage(kind="message", role="user", content="hi"),
        PlainMessage("message", "user", "hi"),
        OwnMessage(),
        UserDict(USER),
        MappingProxyType(USER),
    ],
    ids=lambda item: type(item).__name__,
)
def test_objects_that_have_a_json_form_are_sent_in_it(openai: ImitatedOpenAI, item: object) -> None:
    gateway.responses(model=MODEL, input=(item for _ in range(1)), tools=())
    assert openai.requests[0].json() == {"model": "o1-pro", "input": [USER], "tools": []}


def test_an_object_without_a_json_form_is_refused_before_it_leaves(openai: ImitatedOpenAI) -> None:
    with pytest.raises(gateway.InvalidRequestError, match="object cannot be encoded"):
        gateway.responses(model=MODEL, input=[object()])
    assert openai.requests == []


def test_parameters_that_are_not_listed_are_sent_too(openai: ImitatedOpenAI) -> None:
    gateway.responses(  # pyright: ignore[reportCallIssue] - newer than this package
        model=MODEL, input="hi", brand_new={"a": 1}, temperature=None, extra_body={"newer": [2]}
    )
    assert openai.requests[0].json() == {
        "model": "o1-pro",
        "input": "hi",
        "brand_new": {"a": 1},
        "temperature": None,
        "newer": [2],
    }


def test_extra_headers_and_an_extra_query_go_out_with_one_call_only(openai: ImitatedOpenAI) -> None:
    headers, query = {"OpenAI-Organization": "org-1"}, {"page": 2}
    made = gateway.responses(model=MODEL, input="hi", extra_headers=headers, extra_query=query)
    gateway.get_responses(made.id, extra_headers=headers, extra_query=query)
    gateway.get_responses(made.id)
    assert [received.headers.get("openai-organization") for received in openai.requests] == [
        "org-1",
        "org-1",
        None,
    ]
    assert [parse_qs(received.query) for received in openai.requests] == [
        {"page": ["2"]},
        {"page": ["2"]},
        {},
    ]


def test_a_stream_is_asked_for_by_its_own_parameter(openai: ImitatedOpenAI) -> None:
    with pytest.raises(gateway.InvalidRequestError, match="extra_body"):
        gateway.responses(model=MODEL, input="hi", extra_body={"stream": True})
    gateway.responses(model=MODEL, input="hi", stream=False)
    assert openai.requests[0].json()["stream"] is False


def test_each_timeout_can_be_given(openai: ImitatedOpenAI) -> None:
    timeouts = gateway.Timeouts(connect=1, first_byte=5, idle=5)
    assert gateway.responses(model=MODEL, input="hi", timeout=timeouts).output_text


def test_an_answer_that_is_no_response_is_the_providers_fault(openai: ImitatedOpenAI) -> None:
    made = gateway.responses(model=MODEL, input="hi")
    openai.responses["resp_a0"] = {"object": "response"}
    with pytest.raises(gateway.UpstreamProtocolError, match="cannot be read"):
        gateway.get_responses(made.id)
