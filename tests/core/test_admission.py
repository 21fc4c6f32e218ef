from __future__ import annotations

from runner.core.admission import Admission


def test_without_locks_and_limits_all_are_admitted() -> None:
    admission = Admission(None)
    for unit in "abc":
        admission.request(unit, ())
    assert admission.grant() == ["a", "b", "c"]
    assert not admission.is_waiting("a")


def test_a_lock_goes_from_one_to_the_next_in_the_order_of_asking() -> None:
    admission = Admission(None)
    for unit in "abc":
        admission.request(unit, ("apt",))
    assert admission.grant() == ["a"]
    assert admission.blockers("b") == admission.blockers("c") == [("apt", "a")]
    admission.release("a")
    assert admission.blockers("c") == [("apt", "b")]
    assert admission.grant() == ["b"]
    assert admission.holders == {"apt": "b"}


def test_all_locks_or_none() -> None:
    admission = Admission(None)
    admission.request("a", ("apt",))
    admission.request("b", ("apt", "dpkg"))
    admission.request("c", ("dpkg",))
    assert admission.grant() == ["a"]
    assert admission.holders == {"apt": "a"}
    assert admission.blockers("b") == [("apt", "a")]
    assert admission.blockers("c") == [("dpkg", "b")], "whoever asked first is waited for, though the lock is free"
    admission.release("a")
    assert admission.grant() == ["b"]
    admission.release("b")
    assert admission.grant() == ["c"]


def test_a_lock_named_twice_is_one_lock() -> None:
    admission = Admission(None)
    admission.request("a", ("apt", "apt"))
    assert admission.grant() == ["a"]
    admission.release("a")
    assert admission.holders == {}


def test_jobs_are_limited_and_given_back() -> None:
    admission = Admission(1)
    for unit in "abc":
        admission.request(unit, ())
    assert admission.grant() == ["a"]
    assert admission.grant() == []
    admission.free_job("a")
    assert admission.grant() == ["b"]
    admission.release("b")
    assert admission.grant() == ["c"]


def test_a_job_given_back_keeps_the_locks() -> None:
    admission = Admission(1)
    admission.request("a", ("port",))
    admission.request("b", ("port",))
    assert admission.grant() == ["a"]
    admission.free_job("a")
    assert admission.grant() == []
    assert admission.blockers("b") == [("port", "a")]


def test_who_withdraws_makes_room() -> None:
    admission = Admission(None)
    for unit in "abc":
        admission.request(unit, ("apt",))
    admission.grant()
    admission.withdraw("b")
    assert not admission.is_waiting("b")
    admission.release("a")
    assert admission.grant() == ["c"]


def test_who_withdraws_after_its_turn_has_come_is_passed_over() -> None:
    admission = Admission(1)
    for unit in "abc":
        admission.request(unit, ())
    assert admission.grant() == ["a"]
    admission.withdraw("b")
    admission.release("a")
    assert admission.grant() == ["c"]


def test_who_asks_again_is_last() -> None:
    admission = Admission(1)
    for unit in "abc":
        admission.request(unit, ())
    admission.grant()
    admission.withdraw("b")
    admission.request("b", ())
    admission.release("a")
    assert admission.grant() == ["c"]
    admission.release("c")
    assert admission.grant() == ["b"]


def test_nothing_asked_nothing_held() -> None:
    admission = Admission(None)
    admission.withdraw("a")
    admission.release("a")
    assert admission.blockers("a") == []


def test_the_last_holder_is_remembered() -> None:
    admission = Admission(None)
    admission.request("a", ("apt",))
    admission.request("b", ("dpkg",))
    admission.grant()
    assert admission.last_holder(("apt", "dpkg")) is None
    admission.release("b")
    admission.release("a")
    assert admission.last_holder(("apt", "dpkg")) == "a"
    assert admission.last_holder(("dpkg",)) == "b"
    assert admission.last_holder(()) is None
