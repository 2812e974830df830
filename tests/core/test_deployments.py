"""Deployments are what the file says, completed by the provider and the environment."""

from collections.abc import Mapping

import pytest

from gateway.config import Secret
from gateway.config.settings import ModelEntry
from gateway.core.deployments import deploy
from gateway.errors import ConfigError
from gateway.plugin import Deployment, NoKey, Provider, Setting
from gateway.plugin.manager import Plugins

PROVIDERS = Plugins().providers()


def deployed(
    model: str = "openai/o1", environment: Mapping[str, str] | None = None, **entry: str
) -> Deployment:
    key = entry.pop("api_key", None)
    api_key = None if key is None else Secret(key)
    return deploy(
        ModelEntry(name="m", model=model, api_key=api_key, **entry),  # pyright: ignore[reportArgumentType] - strings only
        PROVIDERS,
        environment or {},
    )


def test_what_the_file_leaves_out_comes_from_the_environment() -> None:
    environment = {"OPENAI_API_KEY": "sk-env", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    found = deployed(environment=environment)
    assert (found.api_key.reveal(), found.base_url) == ("sk-env", "http://127.0.0.1:9/v1")


def test_the_file_wins_over_the_environment() -> None:
    environment = {"OPENAI_API_KEY": "sk-env", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    found = deployed(environment=environment, api_key="sk-file", base_url="http://127.0.0.1:8/v1/")
    assert (found.api_key.reveal(), found.base_url) == ("sk-file", "http://127.0.0.1:8/v1")


def test_a_model_without_a_prefix_is_openais() -> None:
    found = deployed("gpt-5", api_key="sk-x")
    assert (found.provider, found.model) == ("openai", "gpt-5")


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("opena/o1", "did you mean 'openai'"),
        ("acme/large", "installed: "),
        ("openai/", "no installed plugin"),
        ("openai/o1", "OPENAI_API_KEY"),
        ("openai_compatible/x", "base_url"),
    ],
)
def test_what_cannot_be_deployed_is_refused_with_a_way_out(model: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        deployed(model)


def test_an_account_changes_with_key_and_address() -> None:
    first = deployed(api_key="sk-1").account
    assert first == deployed("openai/other", api_key="sk-1").account
    assert first != deployed(api_key="sk-2").account
    assert first != deployed(api_key="sk-1", base_url="http://127.0.0.1:9/v1").account


def test_a_named_account_survives_a_new_key() -> None:
    named = deployed(api_key="sk-1", account="main").account
    assert named == deployed(api_key="sk-2", account="main").account
    assert named != deployed(api_key="sk-1", account="spare").account
    assert (
        named != deployed("azure/o1", api_key="x", base_url="http://h/v1", account="main").account
    )


def cloud(settings: Mapping[str, str]) -> str:
    if "cloud_region" not in settings:
        raise ConfigError("give a cloud_region")
    return f"https://{settings['cloud_region']}.cloud.test/"


CLOUD = Provider(
    name="cloud",
    dialect="chat",
    credentials=NoKey(),
    base_url=cloud,
    settings={
        "cloud_region": Setting(env=("CLOUD_REGION", "REGION")),
        "cloud_tier": Setting(default="fast"),
        "cloud_token": Setting(env=("CLOUD_TOKEN",), secret=True),
    },
)


def in_cloud(environment: Mapping[str, str], **settings: str) -> Deployment:
    given = {name: Secret(value) for name, value in settings.items()}
    entry = ModelEntry(name="m", model="cloud/m", settings=given)
    return deploy(entry, {"cloud": CLOUD}, environment)


def test_settings_come_from_the_file_the_environment_or_the_provider() -> None:
    found = in_cloud({"REGION": "oslo", "CLOUD_TOKEN": "t-1"}, cloud_tier="slow")
    assert found.settings == {"cloud_region": "oslo", "cloud_tier": "slow"}
    assert found.secrets == {"cloud_token": Secret("t-1")}
    assert found.base_url == "https://oslo.cloud.test"
    assert in_cloud({"REGION": "oslo"}, cloud_region="rome").settings == {
        "cloud_region": "rome",
        "cloud_tier": "fast",
    }


def test_an_address_that_lacks_a_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="give a cloud_region"):
        in_cloud({})


def test_a_setting_that_the_provider_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="no setting 'colour'; its settings: cloud_region, "):
        in_cloud({"REGION": "oslo"}, colour="red")


def test_an_account_changes_with_a_setting_too() -> None:
    one, other = (in_cloud({"REGION": "oslo", "CLOUD_TOKEN": token}) for token in ("a", "b"))
    assert one.account != other.account
