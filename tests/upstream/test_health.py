"""When an account is left alone, and when it is tried again."""

import pytest

from gateway.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamUnreachableError,
)
from gateway.upstream.health import Health

BROKEN = UpstreamUnreachableError("broken")


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


def fail(health: Health, times: int, error: UpstreamError = BROKEN) -> None:
    for _ in range(times):
        health.began("a")
        health.failed("a", error)


def wishing(error: UpstreamError, seconds: float) -> UpstreamError:
    error.retry_after = seconds
    return error


def test_an_account_nobody_has_heard_of_is_available(health: Health) -> None:
    assert health.available("a")


@pytest.mark.parametrize(
    "error",
    [
        BROKEN,
        UpstreamTimeoutError("slow"),
        UpstreamUnavailableError("busy"),
        UpstreamProtocolError("cut"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_three_failures_in_a_row_are_a_rest(health: Health, error: UpstreamError) -> None:
    fail(health, 2, error)
    assert health.available("a")
    fail(health, 1, error)
    assert not health.available("a")
    assert health.available("b")


def test_an_answer_between_failures_starts_the_count_anew(health: Health) -> None:
    fail(health, 2)
    health.answered("a")
    fail(health, 2)
    assert health.available("a")


@pytest.mark.parametrize(
    "error",
    [
        UpstreamRejectedError("bad request"),
        UpstreamAuthenticationError("bad key"),
        UpstreamRateLimitError("slow down"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_that_are_not_the_upstreams_fault_do_not_count(
    health: Health, error: UpstreamError
) -> None:
    fail(health, 9, error)
    assert health.available("a")


def test_a_rate_limit_rests_as_long_as_it_says(health: Health, clock: Clock) -> None:
    health.failed("a", wishing(UpstreamRateLimitError("slow down"), 12.0))
    health.failed("a", wishing(UpstreamRateLimitError("slow down"), 3.0))
    clock.seconds += 11.9
    assert not health.available("a")
    clock.seconds += 0.1
    assert health.available("a")
    health.began("a")
    assert health.available("a")  # the limit is over: that needs no probe


def test_an_overload_that_says_how_long_it_lasts_is_believed(health: Health, clock: Clock) -> None:
    health.failed("a", wishing(UpstreamUnavailableError("busy"), 2.0))
    assert not health.available("a")
    clock.seconds += 2.0
    assert health.available("a")


def test_after_the_rest_one_call_probes(health: Health, clock: Clock) -> None:
    fail(health, 3)
    clock.seconds += 4.9
    assert not health.available("a")
    clock.seconds += 0.1
    assert health.available("a")
    assert health.available("a")  # asking is not calling
    health.began("a")
    assert not health.available("a")
    health.answered("a")
    assert health.available("a")
    fail(health, 2)
    assert health.available("a")


def test_a_probe_that_is_abandoned_leaves_room_for_another(health: Health, clock: Clock) -> None:
    fail(health, 3)
    clock.seconds += 5
    health.began("a")
    health.abandoned("a")
    assert health.available("a")


def test_a_probe_that_never_tells_its_outcome_is_forgotten(health: Health, clock: Clock) -> None:
    fail(health, 3)
    clock.seconds += 5
    health.began("a")
    clock.seconds += 59.9
    assert not health.available("a")
    clock.seconds += 0.1
    assert health.available("a")


def test_each_rest_is_twice_as_long_up_to_a_minute(health: Health, clock: Clock) -> None:
    fail(health, 2)
    for seconds in (5, 10, 20, 40, 60, 60):
        fail(health, 1)
        clock.seconds += seconds - 0.1
        assert not health.available("a")
        clock.seconds += 0.1
        assert health.available("a")


def test_calls_that_fail_together_are_one_rest(health: Health, clock: Clock) -> None:
    fail(health, 50)
    clock.seconds += 5
    assert health.available("a")
