from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.words import say_count, say_duration, say_exit, say_os_error, say_size


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0 ms"),
        (0, "0 ms"),
        (0.32, "320 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (3.2, "3.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (250, "4 min 10 s"),
        (3599.6, "1 h"),
        (3900, "1 h 5 min"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert say_duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1500, "1.5 kB"),
        (64_000, "64 kB"),
        (999_700, "1 MB"),
        (1_500_000, "1.5 MB"),
        (2 * 10**9, "2 GB"),
        (5 * 10**12, "5000 GB"),
    ],
)
def test_sizes(count: int, said: str) -> None:
    assert say_size(count) == said


@given(st.integers(0, 10**13))
def test_a_size_is_said_to_within_a_twentieth(count: int) -> None:
    number, unit = say_size(count).split()
    assert float(number) * {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}[unit] == pytest.approx(count, rel=0.05)


def test_ends() -> None:
    assert say_exit(1, None) == "exit status 1"
    assert say_exit(None, "SIGKILL") == "killed by SIGKILL"


def test_errors_of_the_system() -> None:
    assert say_os_error(PermissionError(13, "Permission denied", "a")) == "permission denied"
    assert say_os_error(OSError("Gone")) == "gone"


def test_counts() -> None:
    assert [say_count(count, "unit") for count in (0, 1, 2)] == ["0 units", "1 unit", "2 units"]
