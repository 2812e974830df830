"""Where a call goes: what the model, the environment, the id and the caller's options say."""

from collections.abc import Iterator
from typing import Any

import pytest

import gateway
from gateway.client.functions import DEFAULT
from gateway.testing.openai import ImitatedOpenAI

MODEL = "openai/o1-pro"


@pytest.fixture
def elsewhere() -> Iterator[ImitatedOpenAI]:
    with ImitatedOpenAI("elsewhere") as imitation:
        yield imitation


def test_a_model_without_a_prefix_is_openais(openai: ImitatedOpenAI) -> None:
    gateway.responses(model="computer-use-preview", input="hi")
    assert openai.requests[0].json()["model"] == "computer-use-preview"


def test_a_provider_that_nobody_offers_is_named_with_those_that_are_there(
    openai: ImitatedOpenAI,
) -> None:
    with pytest.raises(gateway.NotFoundError, match=r"'opnai'.*did you mean 'openai'") as error:
        gateway.responses(model="opnai/o1-pro", input="hi")
    assert (error.value.status, error.value.code) == (404, "model_not_found")
    assert error.value.param == "model"


def test_a_missing_key_is_named_and_may_be_set_afterwards(
    openai: ImitatedOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(gateway.ConfigError, match="OPENAI_API_KEY"):
        gateway.responses(model=MODEL, input="hi")
    assert openai.requests == []
    monkeypatch.setenv("OPENAI_API_KEY", "sk-late")
    gateway.responses(model=MODEL, input="hi")
    assert openai.requests[0].headers["authorization"] == "Bearer sk-late"


def test_a_call_without_a_model_is_refused(openai: ImitatedOpenAI) -> None:
    with pytest.raises(gateway.InvalidRequestError) as error:
        gateway.responses(input="hi")  # pyright: ignore[reportCallIssue] - the mistake under test
    assert error.value.param == "model"


@pytest.mark.parametrize("name", ["base_url", "api_base"])
def test_a_call_may_bring_its_own_address_and_key(
    openai: ImitatedOpenAI, elsewhere: ImitatedOpenAI, name: str
) -> None:
    address: dict[str, Any] = {name: f"{elsewhere.url}/"}
    response = gateway.responses(model=MODEL, input="hi", api_key="sk-mine", **address)
    assert elsewhere.requests[0].headers["authorization"] == "Bearer sk-mine"
    assert gateway.get_responses(response.id).id == response.id
    assert elsewhere.requests[1].headers["authorization"] == "Bearer sk-mine"
    assert openai.requests == []


def test_a_call_may_name_the_provider_apart_from_the_model(openai: ImitatedOpenAI) -> None:
    gateway.responses(model="o1-pro", custom_llm_provider="openai", input="hi")
    gateway.responses(model="openai/o1-pro", custom_llm_provider="openai", input="hi")
    assert [received.json()["model"] for received in openai.requests] == ["o1-pro", "o1-pro"]


def test_an_id_is_enough_in_a_process_that_has_not_called_before(openai: ImitatedOpenAI) -> None:
    made = gateway.responses(model=MODEL, input="hi")
    DEFAULT.stop()
    assert gateway.get_responses(made.id).output_text == made.output_text
    assert openai.requests[-1].path == "/v1/responses/resp_a0"


def test_a_response_of_an_account_of_ones_own_is_found_again_with_the_same_options(
    openai: ImitatedOpenAI, elsewhere: ImitatedOpenAI
) -> None:
    mine: dict[str, Any] = {"api_key": "sk-mine", "base_url": elsewhere.url}
    made = gateway.responses(model=MODEL, input="hi", **mine)
    DEFAULT.stop()
    with pytest.raises(gateway.NotFoundError, match="no longer configured"):
        gateway.get_responses(made.id)
    assert gateway.get_responses(made.id, **mine).id == made.id
    assert gateway.get_responses(made.id, **mine, model=MODEL).id == made.id
    assert gateway.get_responses(made.id, **mine, custom_llm_provider="openai").id == made.id
    assert openai.requests == []


def test_a_foreign_id_is_not_found(openai: ImitatedOpenAI) -> None:
    with pytest.raises(gateway.NotFoundError, match="resp_stranger"):
        gateway.get_responses("resp_stranger")
    assert openai.requests == []


def test_a_follow_up_names_the_upstreams_own_id(openai: ImitatedOpenAI) -> None:
    first = gateway.responses(model=MODEL, input="hi")
    second = gateway.responses(model=MODEL, input="and then?", previous_response_id=first.id)
    assert openai.requests[1].json()["previous_response_id"] == "resp_a0"
    assert second.previous_response_id == first.id


def test_a_thousand_keys_leave_no_more_than_that_behind(openai: ImitatedOpenAI) -> None:
    for number in range(1100):
        with pytest.raises(gateway.NotFoundError):
            gateway.get_responses("resp_stranger", api_key=f"sk-{number}")
    assert len(DEFAULT._running().gateway._engine.router._adopted) == 1000
