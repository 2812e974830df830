"""Sealed ids route and isolate; nothing that was not sealed here opens."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import BrokenSealError, Ids, Seal, account_of

SEAL = Seal(b"a secret of the operator")
ALPHABET = string.ascii_letters + string.digits + "-_"


@given(tenant=st.text(), upstream_id=st.text())
def test_a_sealed_id_opens_to_what_was_sealed(tenant: str, upstream_id: str) -> None:
    sealed = SEAL.seal(tenant, "account", upstream_id)
    assert SEAL.open(tenant, sealed) == ("account", upstream_id)


def test_the_same_response_has_the_same_id_everywhere() -> None:
    again = Seal(b"a secret of the operator")
    assert SEAL.seal("t", "a", "resp_1") == again.seal("t", "a", "resp_1")


def test_another_tenant_cannot_open_an_id() -> None:
    with pytest.raises(BrokenSealError):
        SEAL.open("other", SEAL.seal("one", "a", "resp_1"))


def test_another_secret_cannot_open_an_id() -> None:
    with pytest.raises(BrokenSealError):
        Seal(b"another").open("t", SEAL.seal("t", "a", "resp_1"))


@given(st.text())
def test_what_was_not_sealed_does_not_open(text: str) -> None:
    for forged in (text, f"resp_{text}"):
        with pytest.raises(BrokenSealError):
            SEAL.open("t", forged)


@given(position=st.integers(min_value=5, max_value=60), letter=st.sampled_from("AZaz09-_"))
def test_a_changed_id_does_not_open(position: int, letter: str) -> None:
    sealed = SEAL.seal("t", "account", "resp_0123456789abcdef")
    changed = sealed[:position] + letter + sealed[position + 1 :]
    if changed != sealed:
        with pytest.raises(BrokenSealError):
            SEAL.open("t", changed)


@given(st.text(max_size=30))
def test_a_sealed_id_has_one_spelling(upstream_id: str) -> None:
    sealed = SEAL.seal("t", "account", upstream_id)
    twins = {
        sealed.replace("-", "+").replace("_", "/").replace("resp/", "resp_"),
        *(sealed + padding for padding in ("=", "==", "====", "\n", " ")),
        *(sealed[:-1] + letter for letter in ALPHABET),
    }
    for twin in twins - {sealed}:
        with pytest.raises(BrokenSealError):
            SEAL.open("t", twin)


@given(asked=st.binary())
def test_an_approval_request_opens_for_its_tenant_only(asked: bytes) -> None:
    sealed = SEAL.seal_approval("t", asked)
    assert sealed.startswith("mcpr_")
    assert SEAL.open_approval("t", sealed) == asked
    with pytest.raises(BrokenSealError):
        SEAL.open_approval("other", sealed)
    for other in (SEAL.seal("t", "a", "mcpr_"), SEAL.seal_carrier("t", "mcpr", "carrier")):
        with pytest.raises(BrokenSealError):
            SEAL.open_approval("t", "mcpr_" + other.removeprefix("resp_").removeprefix("gw1."))


def test_an_account_is_its_provider_address_and_credential() -> None:
    account = account_of("openai", "https://api.example/v1", "key")
    assert account == account_of("openai", "https://api.example/v1", "key")
    others = [
        account_of("azure", "https://api.example/v1", "key"),
        account_of("openai", "https://other.example/v1", "key"),
        account_of("openai", "https://api.example/v1", "other"),
        account_of("openai", "https://api.example/v1key", ""),
    ]
    assert account not in others
    assert "key" not in account


def test_minted_ids_have_their_prefix_and_never_repeat() -> None:
    ids = Ids(now=lambda: 1.5)
    minted = {ids.mint("msg") for _ in range(1000)}
    assert len(minted) == 1000
    assert all(found.startswith("msg_") and len(found) == 52 for found in minted)
    assert ids.now() == 1.5


def test_the_work_on_a_response_opens_for_that_response_only() -> None:
    sealed = SEAL.seal_job("t", "resp_1", b"a secret")
    assert b"secret" not in sealed
    assert SEAL.open_job("t", "resp_1", sealed) == b"a secret"
    for tenant, response_id in (("other", "resp_1"), ("t", "resp_2")):
        with pytest.raises(BrokenSealError):
            SEAL.open_job(tenant, response_id, sealed)
    with pytest.raises(BrokenSealError):
        Seal(b"another secret of the operator").open_job("t", "resp_1", sealed)


def test_ids_stand_in_the_order_in_which_they_were_minted() -> None:
    times = iter([1.0, 1.002, 1_790_000_000.0, 1_790_000_000.5])
    ids = Ids(now=lambda: next(times))
    minted = [ids.mint("resp") for _ in range(4)]
    assert minted == sorted(minted)
