"""Which deployment a call of the SDK goes to, where the configuration does not say it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from msgspec.structs import replace

from gateway.client.orders import Account
from gateway.config import ModelEntry, environment
from gateway.core.deployments import credential_of, deploy, provider_and_model
from gateway.core.router import Router
from gateway.errors import ConfigError, NotFoundError
from gateway.ids import account_of
from gateway.plugin.deployment import Deployment
from gateway.plugin.provider import Provider

__all__ = ["Accounts"]

_ANY = "*"


class Accounts:
    """Finds the account that a call is for: the caller's own, or the one that the environment
    names.

    The router is told of each, so that the ids of responses that are kept there can be routed.
    Without a given `environment` the one of the process is read anew for each call, because a key
    may be set after the first call has failed for want of it.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        router: Router,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._providers = providers
        self._router = router
        self._configured = bool(router.models)
        self._environment = environment

    def choose(self, model: str, account: Account) -> Deployment | None:
        """Return the deployment of `model` that the caller wants, or None to let the configuration
        decide.

        Raises `NotFoundError` if nobody offers `model`, and `ConfigError` if a key or an address is
        missing.
        """
        if not model or (self._configured and not account):
            return None
        if account.provider or not self._configured:
            return self._deploy(model, account)
        return self._moved(self._router.route(model)[0], account)

    def keeper(self, model: str, account: Account) -> Deployment | None:
        """Return where the caller says that a response is kept, or None if its id shall say it."""
        if model:
            return self.choose(model, account)
        if account:
            return self._deploy(_ANY, account)
        if not self._configured:
            self._adopt_environment()
        return None

    def _deploy(self, model: str, account: Account) -> Deployment:
        provider, upstream_model = self._split(model, account.provider)
        anything = self._deploy_any(provider, account, self._current())
        self._router.adopt(anything)
        return replace(anything, alias=model, model=upstream_model)

    def _deploy_any(
        self, provider: str, account: Account, environment: Mapping[str, str]
    ) -> Deployment:
        name = f"{provider}/{_ANY}"
        entry = ModelEntry(
            name=name, model=name, api_key=account.api_key, base_url=account.base_url
        )
        return deploy(entry, self._providers, environment)

    def _current(self) -> Mapping[str, str]:
        return environment() if self._environment is None else self._environment

    def _split(self, model: str, provider: str) -> tuple[str, str]:
        if provider and not model.startswith(f"{provider}/"):
            model = f"{provider}/{model}"
        try:
            return provider_and_model(model, self._providers)
        except ConfigError as error:
            raise NotFoundError(error.message, code="model_not_found", param="model") from error

    def _moved(self, deployment: Deployment, account: Account) -> Deployment:
        """Return `deployment` with the address and the key of `account`, as far as it has any."""
        base_url = account.base_url.rstrip("/") or deployment.base_url
        api_key = deployment.api_key if account.api_key is None else account.api_key
        moved = replace(
            deployment,
            base_url=base_url,
            api_key=api_key,
            account=account_of(
                deployment.provider,
                base_url,
                credential_of(api_key, deployment.settings, deployment.secrets),
            ),
        )
        self._router.adopt(moved)
        return moved

    def _adopt_environment(self) -> None:
        current = self._current()
        for provider in self._providers:
            with contextlib.suppress(ConfigError):  # no key for this one: nothing is kept there
                self._router.adopt(self._deploy_any(provider, Account(), current))
