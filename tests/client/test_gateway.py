"""A `Gateway` of one's own, in one's own event loop."""

import asyncio
import inspect
from pathlib import Path

import pytest

import gateway
from gateway.config import default_config
from gateway.plugin.manager import Plugins
from gateway.testing.openai import ImitatedOpenAI
from gateway.testing.script import Fault

CONFIG = """
model_list:
  - model_name: fast
    litellm_params: {model: openai/o1-mini, api_key: os.environ/OPENAI_API_KEY}
"""


@pytest.fixture
def path(openai: ImitatedOpenAI, tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


async def test_it_serves_the_models_of_its_file(openai: ImitatedOpenAI, path: Path) -> None:
    async with gateway.Gateway.from_config(path) as own:
        response = await own.responses(model="fast", input="hi")
        assert (await own.get_responses(response.id)).id == response.id
    assert openai.requests[0].json()["model"] == "o1-mini"


async def test_it_serves_no_others_unless_the_caller_brings_an_account(
    openai: ImitatedOpenAI, path: Path
) -> None:
    async with gateway.Gateway.from_config(path) as own:
        with pytest.raises(gateway.NotFoundError, match="not configured"):
            await own.responses(model="openai/o1-pro", input="hi")
        await own.responses(model="o1-pro", custom_llm_provider="openai", input="hi")
        await own.responses(model="fast", input="hi", api_key="sk-mine")
    assert [received.json()["model"] for received in openai.requests] == ["o1-pro", "o1-mini"]
    assert openai.requests[1].headers["authorization"] == "Bearer sk-mine"


async def test_without_a_file_it_serves_any_model_with_keys_of_the_given_environment(
    openai: ImitatedOpenAI, tmp_path: Path
) -> None:
    environment = {
        "GATEWAY_HOME": str(tmp_path),
        "OPENAI_API_KEY": "sk-given",
        "OPENAI_BASE_URL": openai.url,
    }
    async with gateway.Gateway(default_config(environment)) as own:
        await own.responses(model="openai/o1-pro", input="hi")
    async with gateway.Gateway() as own:
        await own.responses(model="openai/o1-pro", input="hi")
    keys = [received.headers["authorization"] for received in openai.requests]
    assert keys == ["Bearer sk-given", "Bearer sk-invented"]


async def test_every_operation_is_a_method(openai: ImitatedOpenAI) -> None:
    async with gateway.Gateway() as own:
        made = await own.responses(model="openai/o1-pro", input="hi", background=True)
        assert (await own.cancel_responses(made.id)).status == "cancelled"
        assert (await own.list_input_items(made.id)).data
        assert (await own.delete_responses(made.id)).deleted
        assert (await own.compact_responses(model="openai/o1-pro", input="hi")).output
        assert (await own.count_input_tokens(model="openai/o1-pro", input="hi")).input_tokens == 9


def test_its_methods_have_the_parameters_of_the_functions() -> None:
    for name in (name for name in gateway.__all__ if f"a{name}" in gateway.__all__):
        method = inspect.signature(getattr(gateway.Gateway, name))
        _, *parameters = method.parameters.values()
        function = inspect.signature(getattr(gateway, name))
        assert parameters == list(function.parameters.values())


@pytest.mark.parametrize("ending", ["closed", "dropped"])
async def test_a_half_read_stream_is_cancelled_upstream(
    openai: ImitatedOpenAI, ending: str
) -> None:
    openai.fault = Fault.STALL
    async with gateway.Gateway() as own:
        stream = await own.responses(model="openai/o1-pro", input="hi", stream=True)
        assert (await anext(stream)).type == "response.created"
        if ending == "closed":
            await stream.aclose()
        del stream
        assert (await asyncio.to_thread(openai.wait_for_departure)).json()["stream"] is True


async def test_closing_it_ends_the_streams_that_are_still_read(openai: ImitatedOpenAI) -> None:
    openai.fault = Fault.STALL
    async with gateway.Gateway() as own:
        stream = await own.responses(model="openai/o1-pro", input="hi", stream=True)
        await anext(stream)
    events = [event async for event in stream]
    assert events[-1].type == "response.failed"


async def test_tenants_do_not_see_each_others_responses(openai: ImitatedOpenAI) -> None:
    async with gateway.Gateway(tenant="a") as ours, gateway.Gateway(tenant="b") as theirs:
        made = await ours.responses(model="openai/o1-pro", input="hi")
        with pytest.raises(gateway.NotFoundError):
            await theirs.get_responses(made.id)
        assert (await ours.get_responses(made.id)).id == made.id


def test_a_configuration_that_is_wrong_is_told_at_once(openai: ImitatedOpenAI, path: Path) -> None:
    path.write_text(CONFIG.replace("openai/", "opnai/"))
    with pytest.raises(gateway.ConfigError, match="did you mean 'openai'"):
        gateway.Gateway.from_config(path)


async def test_the_plugins_may_be_given(openai: ImitatedOpenAI) -> None:
    async with gateway.Gateway(plugins=Plugins(entry_points=False)) as own:
        with pytest.raises(gateway.NotFoundError, match="no installed plugin offers"):
            await own.responses(model="openai/o1-pro", input="hi")
