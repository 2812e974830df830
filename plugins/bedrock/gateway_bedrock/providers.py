"""The ways to Bedrock: Converse, and the endpoints there that speak the Responses API."""

from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from gateway.errors import ConfigError
from gateway.plugin import ApiKey, Granted, Provider, Setting, hookimpl
from gateway_bedrock.credentials import fetch_grant
from gateway_bedrock.dialect import ConverseDialect

__all__ = ["PROVIDERS", "gateway_providers"]

_REGION = "aws_region_name"
_ENDPOINT = "aws_bedrock_runtime_endpoint"
_HOST = "bedrock-runtime.{}.amazonaws.com"
_PLAIN = ("access_key_id", "profile_name", "role_name", "session_name", "external_id")
_SECRET = ("secret_access_key", "session_token", "web_identity_token")
# Keys of the environment are botocore's to read: with a part from here, they would be no key.
_SETTINGS = {
    _REGION: Setting(env=("AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION")),
    **{f"aws_{name}": Setting() for name in (*_PLAIN, "sts_endpoint")},
    **{f"aws_{name}": Setting(secret=True) for name in _SECRET},
    _ENDPOINT: Setting(env=("AWS_BEDROCK_RUNTIME_ENDPOINT",)),
}
_KEY = ApiKey(env=("AWS_BEARER_TOKEN_BEDROCK",), required=False)
_KEPT = ("create", "retrieve", "delete", "cancel", "input_items")


def _address(settings: Mapping[str, str], host: str, path: str = "") -> str:
    own = settings.get(_ENDPOINT, "") if "runtime" in host else ""
    region = settings.get(_REGION, "")
    if not (own or region):
        raise ConfigError(f"no region is named: set {_REGION}, or AWS_REGION in the environment")
    domain = host.format(region) + ".cn" * region.startswith("cn-")
    return (own or f"https://{domain}").rstrip("/") + path


def _native(name: str, host: str, service: str, *operations: str) -> Provider:
    return replace(
        _CONVERSE,
        name=name,
        dialect="responses",
        base_url=partial(_address, host=host, path="/openai/v1"),
        credentials=Granted(fetch=partial(fetch_grant, service=service), key=_KEY),
        quirks={"operations": operations},
    )


_CONVERSE = Provider(
    name="bedrock",
    dialect=ConverseDialect(),
    base_url=partial(_address, host=_HOST),
    credentials=Granted(fetch=partial(fetch_grant, service="bedrock"), key=_KEY),
    settings=_SETTINGS,
)
PROVIDERS = (
    _CONVERSE,
    _native("bedrock_openai", _HOST, "bedrock", "create"),
    _native("bedrock_mantle", "bedrock-mantle.{}.api.aws", "bedrock-mantle", *_KEPT),
)


@hookimpl
def gateway_providers() -> tuple[Provider, ...]:
    return PROVIDERS
