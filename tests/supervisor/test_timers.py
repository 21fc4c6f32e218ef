from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.supervisor.timers import Timers


def test_the_earliest_is_next() -> None:
    timers = Timers()
    assert timers.next_at() is None
    assert timers.take_due(100) is None
    timers.set(1, 5.0)
    timers.set(2, 3.0)
    assert timers.next_at() == 3.0
    assert timers.take_due(2.9) is None
    assert timers.take_due(5.0) == 2
    assert timers.take_due(5.0) == 1
    assert timers.take_due(5.0) is None


def test_a_timer_can_be_moved_either_way() -> None:
    timers = Timers()
    timers.set(1, 5.0)
    timers.set(1, 8.0)
    assert timers.next_at() == 8.0
    timers.set(1, 2.0)
    assert timers.take_due(2.0) == 1
    assert timers.next_at() is None


def test_a_timer_can_be_cancelled_also_after_it_fired() -> None:
    timers = Timers()
    timers.set(1, 5.0)
    timers.cancel(1)
    assert timers.next_at() is None
    timers.set(1, 5.0)
    assert timers.take_due(5.0) == 1
    timers.cancel(1)
    timers.cancel(7)
    assert timers.next_at() is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 5), st.integers(0, 20)),
        st.tuples(st.just("cancel"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("take"), st.just(0), st.integers(0, 20)),
    ),
    max_size=60,
)


@given(STEPS)
def test_it_does_what_a_plain_table_of_times_would(steps: list[tuple[str, int, int]]) -> None:
    timers, table = Timers(), dict[int, float]()
    for verb, timer, at in steps:
        if verb == "set":
            timers.set(timer, float(at))
            table[timer] = float(at)
        elif verb == "cancel":
            timers.cancel(timer)
            table.pop(timer, None)
        else:
            due = {timer: when for timer, when in table.items() if when <= at}
            taken = timers.take_due(float(at))
            assert (taken is None) == (not due)
            if taken is not None:
                assert table.pop(taken) == min(due.values())
        assert timers.next_at() == min(table.values(), default=None)
