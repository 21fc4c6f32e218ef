from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

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


def test_the_more_urgent_goes_first_and_of_two_the_first() -> None:
    admission = Admission(1)
    for unit, urgency in (("a", 0.0), ("b", 2.0), ("c", 3.0), ("d", 2.0)):
        admission.request(unit, ("apt",), urgency)
    assert admission.queues == {"apt": ["c", "b", "d", "a"]}
    order = []
    while granted := admission.grant():
        order += granted
        admission.release(granted[0])
    assert order == ["c", "b", "d", "a"]


def test_who_is_overtaken_when_its_turn_had_come_gets_it_again() -> None:
    admission = Admission(1)
    admission.request("works", ())
    admission.grant()
    admission.request("small", ("apt",))
    admission.request("large", ("apt", "port"), 5.0)
    admission.request("server", ("port",), 9.0)
    admission.release("works")
    assert admission.grant() == ["server"]
    assert admission.blockers("small") == [("apt", "large")], "the lock is free, and large is the first in its queue"
    admission.free_job("server")
    assert admission.grant() == [], "no turn has passed from large to small"
    admission.release("server")
    assert admission.grant() == ["large"]
    admission.release("large")
    assert admission.grant() == ["small"]


def test_another_order_holds_for_all_who_wait() -> None:
    admission = Admission(1)
    for unit in "abcd":
        admission.request(unit, ("apt",) if unit in "bc" else ())
    assert admission.grant() == ["a"]
    admission.reorder({"b": 1.0, "c": 2.0, "d": 1.0}.__getitem__)
    assert admission.queues == {"apt": ["c", "b"]}
    for done, following in (("a", "c"), ("c", "b"), ("b", "d")):
        admission.release(done)
        assert admission.grant() == [following]


# ---------------------------------------------------------------- rules

UNITS = "abcdef"
LOCKS = {"a": (), "b": ("x",), "c": ("x", "y"), "d": ("y",), "e": ("y", "z"), "f": ("z", "x")}
deeds = st.lists(
    st.tuples(st.sampled_from(["request", "request", "release", "free", "withdraw", "reorder"]), st.sampled_from(UNITS))
)
urgencies = st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.0]), min_size=len(UNITS), max_size=len(UNITS))


class Plain:
    """The same told at length: all who wait in one row, walked from its beginning each time."""

    def __init__(self, jobs: int | None) -> None:
        self.jobs = jobs
        self.row: list[tuple[float, int, str]] = []
        self.asked = 0
        self.working: set[str] = set()
        self.held: dict[str, str] = {}

    def request(self, unit: str, urgency: float) -> None:
        self.asked += 1
        self.row.append((-urgency, self.asked, unit))

    def grant(self) -> list[str]:
        granted: list[str] = []
        claimed: set[str] = set()
        for place in sorted(self.row):
            unit = place[2]
            if claimed.isdisjoint(LOCKS[unit]) and self.held.keys().isdisjoint(LOCKS[unit]):
                if self.jobs is not None and len(self.working) == self.jobs:
                    break
                self.row.remove(place)
                self.working.add(unit)
                self.held |= dict.fromkeys(LOCKS[unit], unit)
                granted.append(unit)
            claimed.update(LOCKS[unit])
        return granted

    def release(self, unit: str) -> None:
        self.working.discard(unit)
        self.held = {lock: holder for lock, holder in self.held.items() if holder != unit}


def play(admission: Admission, plain: Plain, done: list[tuple[str, str]], urgency: dict[str, float]) -> set[str]:
    """Do the same to both, and compare what comes of each deed; the units that have been admitted and not released."""
    admitted: set[str] = set()
    for what, unit in done:
        if what == "request" and not admission.is_waiting(unit) and unit not in admitted:
            admission.request(unit, LOCKS[unit], urgency[unit])
            plain.request(unit, urgency[unit])
        elif what == "release":
            admitted.discard(unit)
            admission.release(unit)
            plain.release(unit)
        elif what == "free":
            admission.free_job(unit)
            plain.working.discard(unit)
        elif what == "withdraw":
            admission.withdraw(unit)
            plain.row = [place for place in plain.row if place[2] != unit]
        elif what == "reorder":
            urgency = {name: urgency[other] for name, other in zip(UNITS, UNITS[1:] + unit, strict=True)}
            admission.reorder(urgency.__getitem__)
            plain.row = [(-urgency[name], number, name) for _, number, name in plain.row]
        granted = admission.grant()
        assert granted == plain.grant()
        assert admission.holders == plain.held
        admitted.update(granted)
    return admitted


@given(deeds, urgencies, st.sampled_from([None, 1, 2]))
def test_all_who_ask_are_admitted_in_one_order(done: list[tuple[str, str]], urgency: list[float], jobs: int | None) -> None:
    admission, plain = Admission(jobs), Plain(jobs)
    admitted = play(admission, plain, done, dict(zip(UNITS, urgency, strict=True)))
    while plain.row:
        assert admitted, "somebody waits, and nobody has anything"
        unit = admitted.pop()
        admission.release(unit)
        plain.release(unit)
        granted = admission.grant()
        assert granted == plain.grant()
        admitted.update(granted)
    assert not any(map(admission.is_waiting, UNITS))


@given(deeds, st.sampled_from([None, 1, 2]))
def test_without_urgency_whoever_asked_first_is_first(done: list[tuple[str, str]], jobs: int | None) -> None:
    admission, plain = Admission(jobs), Plain(jobs)
    play(admission, plain, done, dict.fromkeys(UNITS, 0.0))
    asked = [unit for _, _, unit in plain.row]
    for lock, queue in admission.queues.items():
        assert queue == [unit for unit in asked if lock in LOCKS[unit]]


def test_who_was_admitted_is_so_until_it_gives_back() -> None:
    admission = Admission(None)
    admission.request("a", ("apt",))
    assert not admission.is_admitted("a")
    admission.grant()
    assert admission.is_admitted("a")
    admission.release("a")
    assert not admission.is_admitted("a")
