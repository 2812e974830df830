"""Ids find their way to the deployment that made the response, through the SDK and the proxy."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from openai import BadRequestError, NotFoundError, OpenAI

import gateway
from gateway.testing.openai import ImitatedOpenAI

CONFIG = """
model_list:
  - model_name: openai/o1-pro
    litellm_params:
      model: openai/o1-pro
      api_key: os.environ/OPENAI_API_KEY
"""
BALANCED = """
model_list:
  - model_name: fast
    litellm_params: {{model: openai/o1-pro, api_base: "{}", api_key: os.environ/OPENAI_API_KEY}}
  - model_name: fast
    litellm_params: {{model: openai/o1-pro, api_base: "{}", api_key: os.environ/OPENAI_API_KEY}}
"""
CHAINS = 50

Upstreams = tuple[ImitatedOpenAI, ImitatedOpenAI]


@pytest.fixture
def upstreams() -> Iterator[Upstreams]:
    with ImitatedOpenAI("east") as east, ImitatedOpenAI("west") as west:
        yield east, west


@pytest.fixture
def balanced(upstreams: Upstreams) -> str:
    """A configuration with one model on both upstreams."""
    return BALANCED.format(*(upstream.url for upstream in upstreams))


@pytest_asyncio.fixture
async def own(sdk: ImitatedOpenAI, balanced: str, tmp_path: Path) -> AsyncIterator[gateway.Gateway]:
    path = tmp_path / "balanced.yaml"
    path.write_text(balanced)
    async with gateway.Gateway.from_config(path) as own:
        yield own


def assert_chains_stayed(upstreams: Upstreams) -> None:
    """Check that each upstream was asked to go on with all of its own responses, and no others."""
    chains = 0
    for upstream in upstreams:
        bodies = [received.json() for received in upstream.requests]
        followed = [body["previous_response_id"] for body in bodies if len(body) == 3]
        begun = [
            response["id"]
            for response in upstream.responses.values()
            if response["previous_response_id"] is None
        ]
        assert sorted(followed) == sorted(begun)
        assert begun  # the other one has not made all
        chains += len(begun)
    assert chains == CHAINS


async def test_fifty_chains_stay_where_they_began_with_the_sdk(
    own: gateway.Gateway, upstreams: Upstreams
) -> None:
    first = [await own.responses(model="fast", input="hi") for _ in range(CHAINS)]
    for begun in first:
        ended = await own.responses(model="fast", input="more", previous_response_id=begun.id)
        assert ended.previous_response_id == begun.id
    assert_chains_stayed(upstreams)


def test_fifty_chains_stay_where_they_began_with_the_proxy(
    serve: Any, upstreams: Upstreams, balanced: str
) -> None:
    with serve(balanced) as url, OpenAI(base_url=url, api_key="your-api-key") as client:
        first = [client.responses.create(model="fast", input="hi") for _ in range(CHAINS)]
        for begun in first:
            ended = client.responses.create(
                model="fast", input="more", previous_response_id=begun.id
            )
            assert ended.previous_response_id == begun.id
    assert_chains_stayed(upstreams)


async def test_fifty_chains_begin_with_the_sdk_and_go_on_with_the_proxy(
    serve: Any, own: gateway.Gateway, upstreams: Upstreams, balanced: str
) -> None:
    first = [await own.responses(model="fast", input="hi") for _ in range(CHAINS)]
    with serve(balanced) as url, OpenAI(base_url=url, api_key="your-api-key") as client:
        for begun in first:
            client.responses.create(model="fast", input="more", previous_response_id=begun.id)
    assert_chains_stayed(upstreams)


async def test_fifty_responses_are_fetched_and_deleted_where_they_are(
    own: gateway.Gateway, upstreams: Upstreams
) -> None:
    made = [await own.responses(model="fast", input="hi") for _ in range(CHAINS)]
    for response in made:
        assert (await own.get_responses(response.id)).id == response.id
        assert (await own.delete_responses(response.id)).id == response.id
    assert [upstream.responses for upstream in upstreams] == [{}, {}]
    assert all(upstream.requests for upstream in upstreams)


def test_an_id_of_the_sdk_works_in_the_proxy_and_back(serve: Any, sdk: ImitatedOpenAI) -> None:
    with serve(CONFIG) as url, OpenAI(base_url=url, api_key="your-api-key") as client:
        ours = gateway.responses(model="openai/o1-pro", input="hi")
        assert client.responses.retrieve(ours.id).output_text == ours.output_text
        theirs = client.responses.create(
            model="openai/o1-pro", input="more", previous_response_id=ours.id
        )
        assert gateway.get_responses(theirs.id).previous_response_id == ours.id
        gateway.delete_responses(theirs.id)
        with pytest.raises(NotFoundError):
            client.responses.retrieve(theirs.id)


def test_an_id_of_another_secret_is_a_strangers(
    serve: Any, sdk: ImitatedOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_SECRET", "another secret than the proxy has")
    ours = gateway.responses(model="openai/o1-pro", input="hi")
    with serve(CONFIG) as url, OpenAI(base_url=url, api_key="your-api-key") as client:
        with pytest.raises(NotFoundError):
            client.responses.retrieve(ours.id)
        with pytest.raises(BadRequestError, match="not found"):
            client.responses.create(
                model="openai/o1-pro", input="more", previous_response_id=ours.id
            )
