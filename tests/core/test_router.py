"""Which deployments serve a model name, and in which order."""

import random
from collections import Counter

import pytest

from gateway.core.router import Router
from gateway.errors import NotFoundError
from gateway.plugin import Deployment


def deployment(
    alias: str, model: str = "m", *, account: str = "a", weight: float = 1
) -> Deployment:
    return Deployment(alias=alias, provider="p", model=model, account=account, weight=weight)


def routed(router: Router, model: str) -> list[tuple[str, str]]:
    return [(found.alias, found.model) for found in router.route(model)]


def test_an_exact_name_wins_over_a_wildcard() -> None:
    router = Router([deployment("openai/*", "*"), deployment("openai/o1", "pinned")])
    assert routed(router, "openai/o1") == [("openai/o1", "pinned")]


def test_a_wildcard_passes_the_rest_of_the_name_on() -> None:
    router = Router([deployment("openai/*", "*")])
    assert routed(router, "openai/o1-pro") == [("openai/o1-pro", "o1-pro")]


def test_a_longer_wildcard_wins_over_a_shorter_one() -> None:
    router = Router([deployment("*", "any/*"), deployment("openai/*", "*")])
    assert routed(router, "openai/o1") == [("openai/o1", "o1")]
    assert routed(router, "groq/x") == [("groq/x", "any/groq/x")]


@pytest.mark.parametrize("model", ["nothing", "openai/", ""])
def test_an_unknown_model_is_not_found(model: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        Router([deployment("openai/*", "*")]).route(model)
    assert (raised.value.status, raised.value.code) == (404, "model_not_found")
    assert raised.value.param == "model"


def test_deployments_of_one_name_are_balanced_by_weight() -> None:
    parts = [deployment("m", "light", weight=1), deployment("m", "heavy", weight=3)]
    router = Router(parts, random.Random(7))
    first = Counter(router.route("m")[0].model for _ in range(4000))
    assert 0.70 < first["heavy"] / 4000 < 0.80
    assert len(router.route("m")) == 2


def test_a_deployment_without_weight_only_steps_in() -> None:
    parts = [deployment("m", "spare", weight=0), deployment("m", "main")]
    router = Router(parts, random.Random(7))
    assert {tuple(found.model for found in router.route("m")) for _ in range(50)} == {
        ("main", "spare")
    }


def test_an_account_leads_to_a_deployment_that_reaches_it() -> None:
    router = Router([deployment("m", account="one"), deployment("n", account="two")])
    found = router.account("two")
    assert found is not None
    assert found.alias == "n"
    assert router.account("three") is None


def test_an_upstream_model_has_the_name_that_clients_know() -> None:
    router = Router([deployment("fast", "gpt-5"), deployment("openai/*", "*")])
    assert router.alias("a", "gpt-5") == "fast"
    assert router.alias("a", "gpt-5-2026-01-01") == "fast"
    assert router.alias("a", "o1") == "openai/o1"
    assert router.alias("unknown", "o1") == "o1"


def test_a_model_that_keeps_its_name_keeps_its_date() -> None:
    assert Router([deployment("gpt-5", "gpt-5")]).alias("a", "gpt-5-2026") == "gpt-5-2026"


def test_an_adopted_deployment_is_known_by_account_but_not_by_name() -> None:
    router = Router([])
    router.adopt(deployment("guest", account="own key"))
    assert router.account("own key") is not None
    assert router.models == []
