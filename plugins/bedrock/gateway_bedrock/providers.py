"""The ways to Bedrock: Converse, and the endpoints there that speak the Responses API."""

from collections.abc import Callable, Mapping
from functools import partial

from gateway.errors import ConfigError
from gateway.plugin import ApiKey, Granted, Provider, Setting
from gateway_bedrock.credentials import fetch_grant
from gateway_bedrock.dialect import ConverseDialect

__all__ = ["PROVIDERS"]

_REGION = "aws_region_name"
_ENDPOINT = "aws_bedrock_runtime_endpoint"
_PLAIN = ("access_key_id", "profile_name", "role_name", "session_name", "external_id")
_SECRET = ("secret_access_key", "session_token", "web_identity_token")
# Keys and profiles of the environment are botocore's to read: mixed with those of the
# configuration, one would be half of another credential.
_SETTINGS = {
    _REGION: Setting(env=("AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION")),
    **{f"aws_{name}": Setting() for name in (*_PLAIN, "sts_endpoint")},
    **{f"aws_{name}": Setting(secret=True) for name in _SECRET},
    _ENDPOINT: Setting(),
}
_KEY = ApiKey(env=("AWS_BEARER_TOKEN_BEDROCK",), required=False)
_RUNTIME = Granted(fetch=partial(fetch_grant, service="bedrock"), key=_KEY)
_MANTLE = Granted(fetch=partial(fetch_grant, service="bedrock-mantle"), key=_KEY)


def _at(host: str, path: str = "") -> Callable[[Mapping[str, str]], str]:
    """Return what makes the address of `host` in the region that the settings name."""

    def base_url(settings: Mapping[str, str]) -> str:
        region, own = settings.get(_REGION, ""), settings.get(_ENDPOINT, "").rstrip("/")
        if own and "runtime" in host:
            return own + path
        if not region:
            raise ConfigError(f"no region is named: set {_REGION}, or AWS_REGION outside")
        return f"https://{host.format(region)}{'.cn' * region.startswith('cn-')}{path}"

    return base_url


PROVIDERS = (
    Provider(
        name="bedrock",
        dialect=ConverseDialect(),
        base_url=_at("bedrock-runtime.{}.amazonaws.com"),
        credentials=_RUNTIME,
        settings=_SETTINGS,
    ),
    Provider(
        name="bedrock_openai",
        dialect="responses",
        base_url=_at("bedrock-runtime.{}.amazonaws.com", "/openai/v1"),
        credentials=_RUNTIME,
        settings=_SETTINGS,
        quirks={"operations": ("create",)},
    ),
    Provider(
        name="bedrock_mantle",
        dialect="responses",
        base_url=_at("bedrock-mantle.{}.api.aws", "/openai/v1"),
        credentials=_MANTLE,
        settings=_SETTINGS,
        quirks={"operations": ("create", "retrieve", "delete", "cancel", "input_items")},
    ),
)
