"""How long retries wait."""

import pytest

from gateway.upstream.backoff import delay


@pytest.mark.parametrize(("retry", "seconds"), [(0, 0.5), (1, 1.0), (3, 4.0), (4, 8.0), (9, 8.0)])
def test_waits_double_up_to_eight_seconds(retry: int, seconds: float) -> None:
    assert delay(retry, 0.0) == seconds


def test_chance_shortens_a_wait_by_at_most_a_quarter() -> None:
    assert [delay(1, jitter) for jitter in (0.0, 0.5, 1.0)] == [1.0, 0.875, 0.75]


@pytest.mark.parametrize("seconds", [0.0, 0.02, 7.5, 8.0])
def test_the_upstream_is_obeyed(seconds: float) -> None:
    assert delay(3, 1.0, seconds) == seconds


def test_an_upstream_that_wants_more_patience_than_there_is_is_not_retried() -> None:
    assert delay(0, 0.0, 8.1) is None
    assert delay(0, 0.0, 8.1, longest=10.0) == 8.1
    assert delay(9, 0.0, longest=10.0) == 10.0


def test_a_wish_in_the_past_is_no_wait() -> None:
    assert delay(0, 0.0, -3.0) == 0.0


def test_a_very_late_retry_waits_no_longer() -> None:
    assert delay(5000, 0.0) == 8.0
