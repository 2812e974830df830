"""A summary is for its tenant alone, and for any model."""

from __future__ import annotations

import pytest

from gateway.core.compaction import Summaries, Summary
from gateway.errors import InvalidRequestError
from gateway.ids import BrokenSealError, Seal
from gateway.types.items import Message
from gateway.types.open import Unknown

SUMMARY = Summary(
    text="They talked about the moon \u263e.",
    items=(Message(role="user", content="And now?"), Unknown({"type": "new", "word": 1})),
    users_stay=True,
)


def summaries(*, tenant: str = "one", secret: bytes = b"secret") -> Summaries:
    return Summaries(Seal(secret), tenant)


def test_a_summary_comes_back_as_it_was() -> None:
    sealed = summaries().seal(SUMMARY)
    assert "moon" not in sealed
    assert summaries().open(sealed, "input[0]") == SUMMARY


@pytest.mark.parametrize(
    "sealed",
    [
        summaries(tenant="two").seal(SUMMARY),
        summaries(secret=b"another").seal(SUMMARY),
        summaries().seal(SUMMARY)[:-4],
        "gAAAAABforeign",
        "gws1.",
        "gws1.\u00e9",
        "gws1." + Seal(b"secret").seal("one", "a", "resp_1").removeprefix("resp_"),
        "gws1." + Seal(b"secret").seal_carrier("one", "a/b", "{}").removeprefix("gw1."),
        "",
    ],
)
def test_nothing_else_can_be_read(sealed: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        summaries().open(sealed, "input[3].encrypted_content")
    assert raised.value.code == "invalid_encrypted_content"
    assert raised.value.param == "input[3].encrypted_content"


def test_a_summary_is_neither_an_id_nor_a_carrier() -> None:
    seal = Seal(b"secret")
    text = summaries().seal(SUMMARY).removeprefix("gws1.")
    for opened in (
        lambda: seal.open("one", f"resp_{text}"),
        lambda: seal.open_carrier("one", "a/b", f"gw1.{text}"),
    ):
        with pytest.raises(BrokenSealError):
            opened()
