"""Deployments, made from what the operator configured and what the plugins offer."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from gateway.config import Config, ModelEntry, Secret, cache_directory
from gateway.errors import ConfigError
from gateway.ids import account_of
from gateway.plugin.deployment import Deployment
from gateway.plugin.provider import Provider, key_of

__all__ = ["credential_of", "deploy", "deployments", "provider_and_model"]

_UNPREFIXED = "openai"
"""The provider of a model without a prefix, as in LiteLLM's configurations."""


def deployments(config: Config, providers: Mapping[str, Provider]) -> tuple[Deployment, ...]:
    """Return what `config` deploys. Raises `ConfigError`, with one line for each entry that
    cannot be used.
    """
    made: list[Deployment] = []
    problems: list[str] = []
    for entry in config.models:
        try:
            made.append(deploy(entry, providers, config.environment))
        except ConfigError as error:
            problems.append(f"model {entry.name!r}: {error.message}")
    if problems:
        raise ConfigError("\n".join(problems))
    return tuple(made)


def deploy(
    entry: ModelEntry, providers: Mapping[str, Provider], environment: Mapping[str, str]
) -> Deployment:
    """Return the deployment that `entry` describes; what it leaves out comes from its provider
    and `environment`.
    """
    name, model = provider_and_model(entry.model, providers)
    provider = providers[name]
    settings, secrets = _settings(entry, provider, environment)
    base_url = _base_url(entry, provider, settings, environment)
    if not base_url and provider.launch is None and provider.transport is None:
        known = f" or set {provider.base_url_env[0]}" if provider.base_url_env else ""
        raise ConfigError(f"provider {name!r} has no address of its own: give a base_url{known}")
    api_key = _api_key(entry, provider, environment)
    credential = credential_of(api_key, settings, secrets)
    return Deployment(
        alias=entry.name,
        provider=name,
        model=model,
        account=_account(entry, name, base_url, credential),
        base_url=base_url,
        api_key=api_key,
        headers=entry.headers,
        settings=settings,
        secrets=secrets,
        quirks={**provider.quirks, **entry.quirks},
        weight=entry.weight,
        timeouts=entry.timeouts,
        retries=entry.retries,
        on_unsupported=entry.on_unsupported,
        history=entry.history,
        tools=entry.tools,
        downloads=cache_directory(environment),
    )


def provider_and_model(name: str, providers: Mapping[str, Provider]) -> tuple[str, str]:
    """Split `groq/llama-3.3-70b` into provider and upstream model. Raises `ConfigError` if
    nobody offers it.
    """
    prefix, slash, model = name.partition("/")
    if not slash:
        prefix, model = _UNPREFIXED, name
    if prefix in providers and model:
        return prefix, model
    close = difflib.get_close_matches(prefix, providers, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"installed: {', '.join(sorted(providers))}"
    raise ConfigError(f"no installed plugin offers the provider {prefix!r} of {name!r}; {hint}")


def credential_of(
    api_key: Secret, settings: Mapping[str, str], secrets: Mapping[str, Secret]
) -> str:
    """Return what tells two accounts at one address apart."""
    told = {**settings, **{name: secret.reveal() for name, secret in secrets.items()}}
    return "\0".join([api_key.reveal(), *(f"{name}={told[name]}" for name in sorted(told))])


def _account(entry: ModelEntry, provider: str, base_url: str, credential: str) -> str:
    if entry.account:
        return account_of(provider, "", entry.account)
    return account_of(provider, base_url, credential)


def _settings(
    entry: ModelEntry, provider: Provider, environment: Mapping[str, str]
) -> tuple[Mapping[str, str], Mapping[str, Secret]]:
    """Return what `entry` and `environment` say of the provider's settings: plain, and secret."""
    for name in entry.settings:
        if name not in provider.settings:
            known = ", ".join(sorted(provider.settings)) or "none"
            raise ConfigError(
                f"provider {provider.name!r} has no setting {name!r}; its settings: {known}"
            )
    plain: dict[str, str] = {}
    secret: dict[str, Secret] = {}
    for name, setting in provider.settings.items():
        given = entry.settings.get(name)
        value = given.reveal() if given else _first(setting.env, environment) or setting.default
        if value and setting.secret:
            secret[name] = Secret(value)
        elif value:
            plain[name] = value
    return plain, secret


def _base_url(
    entry: ModelEntry,
    provider: Provider,
    settings: Mapping[str, str],
    environment: Mapping[str, str],
) -> str:
    given = entry.base_url or _first(provider.base_url_env, environment)
    if not given:
        own = provider.base_url
        given = own if isinstance(own, str) else own(settings)
    return given.rstrip("/")


def _api_key(entry: ModelEntry, provider: Provider, environment: Mapping[str, str]) -> Secret:
    if entry.api_key is not None:
        return entry.api_key
    key = key_of(provider)
    if key is None:
        return Secret("")
    found = _first(key.env, environment)
    if not found and key.required:
        names = " or ".join(key.env)
        known = f" or set {names}" if names else ""
        raise ConfigError(f"provider {provider.name!r} needs a key: give an api_key{known}")
    return Secret(found)


def _first(names: tuple[str, ...], environment: Mapping[str, str]) -> str:
    return next((environment[name] for name in names if environment.get(name)), "")
