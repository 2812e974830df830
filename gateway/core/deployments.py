"""Deployments, made from what the operator configured and what the plugins offer."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from gateway.config import Config, ModelEntry, Secret, cache_directory
from gateway.errors import ConfigError
from gateway.ids import account_of
from gateway.plugin.deployment import Deployment
from gateway.plugin.provider import ApiKey, Provider

__all__ = ["deploy", "deployments", "provider_and_model"]

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
    base_url = (
        entry.base_url or _first(provider.base_url_env, environment) or provider.base_url
    ).rstrip("/")
    if not base_url and provider.launch is None and provider.transport is None:
        known = f" or set {provider.base_url_env[0]}" if provider.base_url_env else ""
        raise ConfigError(f"provider {name!r} has no address of its own: give a base_url{known}")
    api_key = _api_key(entry, provider, environment)
    return Deployment(
        alias=entry.name,
        provider=name,
        model=model,
        account=_account(entry, name, base_url, api_key),
        base_url=base_url,
        api_key=api_key,
        headers=entry.headers,
        quirks={**provider.quirks, **entry.quirks},
        weight=entry.weight,
        timeouts=entry.timeouts,
        retries=entry.retries,
        on_unsupported=entry.on_unsupported,
        history=entry.history,
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


def _account(entry: ModelEntry, provider: str, base_url: str, api_key: Secret) -> str:
    if entry.account:
        return account_of(provider, "", entry.account)
    return account_of(provider, base_url, api_key.reveal())


def _api_key(entry: ModelEntry, provider: Provider, environment: Mapping[str, str]) -> Secret:
    if entry.api_key is not None:
        return entry.api_key
    if not isinstance(provider.credentials, ApiKey):
        return Secret("")
    key = _first(provider.credentials.env, environment)
    if not key and provider.credentials.required:
        names = " or ".join(provider.credentials.env)
        known = f" or set {names}" if names else ""
        raise ConfigError(f"provider {provider.name!r} needs a key: give an api_key{known}")
    return Secret(key)


def _first(names: tuple[str, ...], environment: Mapping[str, str]) -> str:
    return next((environment[name] for name in names if environment.get(name)), "")
