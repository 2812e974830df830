"""From a model name, or an account, to the deployments that may serve a request."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from gateway.core.intake import Intake
from gateway.errors import NotFoundError
from gateway.plugin.deployment import Deployment

__all__ = ["Router"]

_WILDCARD = "*"
_MOST_ADOPTED = 1000


class Router:
    """Knows every deployment by the model name that clients use, and by its account.

    An exact name wins over a wildcard such as `openai/*`, a longer wildcard over a shorter one.
    Deployments of one name are ordered by chance, each as often first as its weight says.
    """

    def __init__(
        self, deployments: Iterable[Deployment], chance: random.Random | None = None
    ) -> None:
        self._chance = chance or random.Random()
        self._models: dict[str, list[Deployment]] = {}
        self._accounts: dict[str, list[Deployment]] = {}
        self._adopted: dict[str, Deployment] = {}
        for deployment in deployments:
            self._models.setdefault(deployment.alias, []).append(deployment)
            self._accounts.setdefault(deployment.account, []).append(deployment)
        self._wildcards = sorted(
            (name for name in self._models if name.endswith(_WILDCARD)), key=len, reverse=True
        )

    @property
    def models(self) -> list[str]:
        """The model names that clients may ask for, in the order of the configuration."""
        return list(self._models)

    def adopt(self, deployment: Deployment) -> None:
        """Remember how to reach an account that is not configured, so that its ids can be routed.

        The latest thousand such accounts are known.
        """
        if deployment.account in self._accounts:
            return
        self._adopted.pop(deployment.account, None)
        self._adopted[deployment.account] = deployment
        if len(self._adopted) > _MOST_ADOPTED:
            del self._adopted[next(iter(self._adopted))]

    def route(self, model: str) -> list[Deployment]:
        """Return the deployments of `model` in the order to try them. Raises `NotFoundError`."""
        found = self._models.get(model) or self._match(model)
        if not found:
            raise NotFoundError(
                f"the model {model!r} does not exist or is not configured here",
                code="model_not_found",
                param="model",
            )
        if len(found) == 1:
            return found
        return sorted(found, key=self._lot)

    def candidates(self, intake: Intake) -> list[Deployment]:
        """Return the deployments that may serve `intake`, in the order to try them: those of the
        account that it names, if there are any for its model. Raises `NotFoundError`.
        """
        chosen = intake.envelope.deployment
        if not intake.model:
            return [chosen or self.holder(intake)]
        found = [chosen] if chosen is not None else self.route(intake.model)
        if intake.account is None:
            return found
        pinned = [deployment for deployment in found if deployment.account == intake.account]
        return pinned or found  # others cannot look it up: they are given its history

    def holder(self, intake: Intake) -> Deployment:
        """Return what reaches the account that `intake` names. Raises `NotFoundError`."""
        found = self.account(intake.account or "")
        if found is None:
            raise NotFoundError(
                f"response with id {intake.envelope.response_id!r} not found:"
                " the deployment that holds it is no longer configured"
            )
        return found

    def account(self, account: str) -> Deployment | None:
        """Return a deployment that reaches `account`, if one is configured still."""
        return next(iter(self._known(account)), None)

    def alias(self, account: str, upstream_model: str) -> str:
        """Return the name under which clients know the model that `account` calls `upstream_model`.

        Providers answer with a dated name (`gpt-5.5-2026-04-23`) to a request for a plain one.
        """
        known = self._known(account)
        for deployment in known:
            if upstream_model == deployment.model:
                return deployment.alias
        for deployment in known:
            if upstream_model.startswith(f"{deployment.model}-"):
                return upstream_model if deployment.alias == deployment.model else deployment.alias
        for deployment in known:
            if deployment.model == _WILDCARD:
                return deployment.alias.replace(_WILDCARD, upstream_model)
        return upstream_model

    def _known(self, account: str) -> Sequence[Deployment]:
        adopted = self._adopted.get(account)
        return self._accounts.get(account) or ([] if adopted is None else [adopted])

    def _match(self, model: str) -> list[Deployment]:
        for name in self._wildcards:
            prefix = name.removesuffix(_WILDCARD)
            if model.startswith(prefix) and len(model) > len(prefix):
                rest = model.removeprefix(prefix)
                return [
                    replace(found, alias=model, model=found.model.replace(_WILDCARD, rest))
                    for found in self._models[name]
                ]
        return []

    def _lot(self, deployment: Deployment) -> float:
        # Sorting by exponential variates of rate `weight` draws without replacement in
        # proportion to the weights (Efraimidis and Spirakis, 2006).
        if deployment.weight <= 0:
            return math.inf
        return self._chance.expovariate(deployment.weight)
