from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.policy import restart_delay, retry_delay
from runner.core.unit import Restart, Retry


def test_the_last_attempt_is_followed_by_none() -> None:
    assert retry_delay(Retry(), 1, 0.5) is None
    assert retry_delay(Retry(attempts=3), 3, 0.5) is None


def test_delays_grow_to_their_most() -> None:
    policy = Retry(attempts=9, delay=1.0, backoff=2.0, max_delay=5.0)
    assert [retry_delay(policy, attempt, 0.5) for attempt in range(1, 6)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_delay_that_begins_beyond_its_most_is_cut() -> None:
    assert retry_delay(Retry(attempts=2, delay=90.0, max_delay=60.0), 1, 0.5) == 60.0


def test_without_growth_delays_stay() -> None:
    policy = Retry(attempts=9, delay=3.0, backoff=1.0)
    assert [retry_delay(policy, attempt, 0.5) for attempt in (1, 5)] == [3.0, 3.0]


@pytest.mark.parametrize(("luck", "delay"), [(0.0, 9.0), (0.5, 10.0), (0.75, 10.5)])
def test_luck_places_the_delay_in_its_jitter(luck: float, delay: float) -> None:
    assert retry_delay(Retry(attempts=2, delay=10.0, jitter=0.1), 1, luck) == pytest.approx(delay)


@given(st.integers(1, 10**6), st.floats(1.0, 1e6), st.floats(0.0, 1e6))
def test_no_number_of_attempts_makes_a_delay_too_large(attempt: int, backoff: float, delay: float) -> None:
    found = retry_delay(Retry(attempts=attempt + 1, delay=delay, backoff=backoff, max_delay=60.0), attempt, 0.5)
    assert found is not None
    assert 0 <= found <= 60


def test_restarts_are_limited_within_their_window() -> None:
    policy = Restart(delay=1.0, backoff=2.0, limit=2, window=10.0)
    restarts: deque[float] = deque()
    assert [restart_delay(policy, restarts, now) for now in (0.0, 5.0, 9.9)] == [1.0, 2.0, None]
    assert restart_delay(policy, restarts, 10.0) == 2.0, "the first has left the window"
    assert list(restarts) == [5.0, 10.0]


def test_a_service_that_ran_well_for_long_begins_again() -> None:
    policy = Restart(delay=1.0, backoff=2.0, limit=2, window=10.0)
    assert restart_delay(policy, deque([0.0, 5.0]), 100.0) == 1.0


def test_no_limit() -> None:
    policy = Restart(delay=1.0, backoff=2.0, max_delay=3.0, limit=0)
    restarts: deque[float] = deque(maxlen=4)
    assert [restart_delay(policy, restarts, float(now)) for now in range(6)] == [1.0, 2.0, 3.0, 3.0, 3.0, 3.0]
