"""A carrier comes back to the model that made it, and to no other."""

from __future__ import annotations

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from gateway.core.carriers import Carriers
from gateway.ids import Seal
from gateway.plugin import Deployment
from gateway.types.content import InputText, ReasoningText
from gateway.types.items import Message, Reasoning
from gateway.types.request import Request

CARRIER = '{"signature": "c2ln=="}'
DEPLOYMENT = Deployment(alias="m", provider="acme", model="large", account="a")
MESSAGE = Message(role="user", content=(InputText(text="hello"),))


def carriers(
    deployment: Deployment = DEPLOYMENT, *, tenant: str = "one", secret: bytes = b"secret"
) -> Carriers:
    return Carriers(Seal(secret), tenant, deployment)


def reasoning(encrypted_content: str) -> Reasoning:
    thought = ReasoningText(text="hm")
    return Reasoning(id="rs_1", content=(thought,), encrypted_content=encrypted_content)


def opened(carriers: Carriers, sealed: str) -> object:
    request = carriers.open(Request(input=(MESSAGE, reasoning(sealed))))
    assert request.input is not None
    assert request.input[0] is MESSAGE
    item = request.input[1]
    assert isinstance(item, Reasoning)
    assert item == replace(reasoning(sealed), encrypted_content=item.encrypted_content)
    return item.encrypted_content


def test_a_carrier_is_opened_for_the_model_that_made_it() -> None:
    sealed = carriers().seal(CARRIER)
    assert "c2ln" not in sealed
    assert opened(carriers(), sealed) == CARRIER
    elsewhere = replace(DEPLOYMENT, alias="other", account="b", weight=2.0)
    assert opened(carriers(elsewhere), sealed) == CARRIER


@pytest.mark.parametrize(
    "other",
    [
        carriers(tenant="two"),
        carriers(secret=b"another"),
        carriers(replace(DEPLOYMENT, model="small")),
        carriers(replace(DEPLOYMENT, provider="rival")),
    ],
    ids=["tenant", "secret", "model", "provider"],
)
def test_a_carrier_of_another_is_left_out(other: Carriers) -> None:
    assert opened(other, carriers().seal(CARRIER)) is UNSET


@pytest.mark.parametrize("foreign", ["gAAAAABopaque", "gw1.", "gw1.AAAA", "gw1.%%", "\u00e9", ""])
def test_what_was_not_sealed_here_is_left_out(foreign: str) -> None:
    assert not opened(carriers(), foreign)


def test_a_changed_carrier_is_left_out() -> None:
    sealed = carriers().seal(CARRIER)
    for position in range(len("gw1."), len(sealed) - 1):  # the last letter holds spare bits
        changed = "B" if sealed[position] == "A" else "A"
        broken = sealed[:position] + changed + sealed[position + 1 :]
        assert opened(carriers(), broken) is UNSET


def test_an_id_is_no_carrier() -> None:
    seal = Seal(b"secret")
    sealed = seal.seal("one", "acme/large", "resp_1").removeprefix("resp_")
    assert opened(carriers(), f"gw1.{sealed}") is UNSET


@pytest.mark.parametrize("input", [None, "hello", (), (MESSAGE,)])
def test_a_request_without_reasoning_stays_as_it_is(input: object) -> None:
    request = Request(input=input)  # type: ignore[arg-type]  # every kind of input
    assert carriers().open(request) is request
