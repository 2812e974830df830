"""Where the three providers are, and how they are asked."""

import pytest

from gateway.errors import ConfigError
from gateway.plugin import Granted, Provider
from gateway.plugin.provider import key_of
from gateway_bedrock import PROVIDERS, gateway_providers

BY_NAME = {provider.name: provider for provider in PROVIDERS}


def address(name: str, **settings: str) -> str:
    base_url = BY_NAME[name].base_url
    assert not isinstance(base_url, str)
    return base_url(settings)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("bedrock", "https://bedrock-runtime.us-west-2.amazonaws.com"),
        ("bedrock_openai", "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1"),
        ("bedrock_mantle", "https://bedrock-mantle.us-west-2.api.aws/openai/v1"),
    ],
)
def test_the_address_follows_from_the_region(name: str, url: str) -> None:
    assert address(name, aws_region_name="us-west-2") == url
    with pytest.raises(ConfigError, match="aws_region_name"):
        address(name)


def test_china_has_a_domain_of_its_own() -> None:
    url = address("bedrock", aws_region_name="cn-north-1")
    assert url == "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"


def test_an_endpoint_of_ones_own_takes_the_place_of_the_public_one() -> None:
    own = {"aws_bedrock_runtime_endpoint": "https://vpce-1.test/"}
    assert address("bedrock", **own) == "https://vpce-1.test"
    assert address("bedrock_openai", **own) == "https://vpce-1.test/openai/v1"


@pytest.mark.parametrize("provider", PROVIDERS, ids=BY_NAME)
def test_a_key_of_bedrock_goes_instead_of_a_signature(provider: Provider) -> None:
    assert isinstance(provider.credentials, Granted)
    key = key_of(provider)
    assert key
    assert key.env == ("AWS_BEARER_TOKEN_BEDROCK",)
    assert (key.header, key.prefix, key.required) == ("authorization", "Bearer ", False)


def test_secrets_are_settings_that_nobody_sees() -> None:
    for provider in gateway_providers():
        secret = {name for name, setting in provider.settings.items() if setting.secret}
        assert secret == {"aws_secret_access_key", "aws_session_token", "aws_web_identity_token"}


def test_what_speaks_responses_is_relayed() -> None:
    assert BY_NAME["bedrock_openai"].dialect == BY_NAME["bedrock_mantle"].dialect == "responses"
    assert BY_NAME["bedrock_openai"].quirks["operations"] == ("create",)
