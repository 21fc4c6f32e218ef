"""The trace is held against the Trace Event Format: what each sort of event must have, and how slices and flows fit together."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec import structs

from runner.core.timeline import timeline
from runner.show.timeline.chrome import render_chrome
from tests.core.strategies import worlds
from tests.core.world import Life, World, make_unit

from .drawn import RECORDED, STRANGE, after, eventful, layout, played

Event = dict[str, Any]

NEEDED: dict[str, set[str]] = {
    "M": {"name", "ph", "pid", "tid", "ts", "args"},
    "X": {"name", "cat", "ph", "ts", "dur", "pid", "tid", "args"},
    "i": {"name", "cat", "ph", "ts", "pid", "tid", "s", "args"},
    "s": {"name", "cat", "ph", "id", "ts", "pid", "tid"},
    "f": {"name", "cat", "ph", "id", "bp", "ts", "pid", "tid"},
}
"""The fields of each phase of event that is used."""


def events_of(text: str) -> list[Event]:
    trace = json.loads(text)
    assert set(trace) <= {"traceEvents", "displayTimeUnit", "otherData"}
    assert trace["displayTimeUnit"] in ("ms", "ns")
    events: list[Event] = trace["traceEvents"]
    return events


def check(events: list[Event]) -> None:
    """All rules of the format that apply."""
    for event in events:
        assert set(event) == NEEDED[event["ph"]], event
        assert isinstance(event["name"], str)
        assert all(isinstance(event[key], int) and event[key] >= 0 for key in ("ts", "pid", "tid"))
        assert event["ph"] != "X" or (isinstance(event["dur"], int) and event["dur"] >= 0)
        assert event["ph"] != "i" or event["s"] in ("t", "p", "g")
    check_names(events)
    check_slices(events)
    check_flows(events)


def check_names(events: list[Event]) -> None:
    metadata = [event for event in events if event["ph"] == "M"]
    assert {event["name"] for event in metadata} <= {"process_name", "thread_name", "thread_sort_index"}
    named = [event["tid"] for event in metadata if event["name"] == "thread_name"]
    assert len(named) == len(set(named)), "a thread has one name"
    assert {event["tid"] for event in events if event["ph"] != "M"} <= {*named}
    assert all(isinstance(event["args"]["name"], str) for event in metadata if event["name"] != "thread_sort_index")
    assert all(isinstance(event["args"]["sort_index"], int) for event in metadata if event["name"] == "thread_sort_index")


def check_slices(events: list[Event]) -> None:
    """Slices of a thread must nest. Ours follow each other."""
    slices: dict[int, list[Event]] = {}
    for event in events:
        if event["ph"] == "X":
            slices.setdefault(event["tid"], []).append(event)
    for mine in slices.values():
        for one, next_one in pairwise(mine):
            assert one["ts"] + one["dur"] <= next_one["ts"]


def check_flows(events: list[Event]) -> None:
    """A flow has one beginning and one end under one name, category and id, and both are in a slice of their threads."""
    begun = {event["id"]: event for event in events if event["ph"] == "s"}
    ended = {event["id"]: event for event in events if event["ph"] == "f"}
    assert set(begun) == set(ended)
    for number, one in begun.items():
        other = ended[number]
        assert (one["name"], one["cat"]) == (other["name"], other["cat"])
        assert one["ts"] <= other["ts"]
        assert other["bp"] == "e"
        for end in (one, other):
            around = [event for event in events if event["ph"] == "X" and event["tid"] == end["tid"]]
            assert any(event["ts"] <= end["ts"] <= max(event["ts"] + event["dur"] - 1, event["ts"]) for event in around)


@pytest.mark.parametrize("name", RECORDED)
def test_traces_of_recorded_runs_are_valid(name: str) -> None:
    check(events_of(render_chrome(layout(name))))


@settings(max_examples=50)
@given(worlds())
def test_traces_of_any_run_are_valid(world: World) -> None:
    events = events_of(render_chrome(layout(timeline(world.run().journal))))
    begun = {event["id"]: event for event in events if event["ph"] == "s"}
    assert all(begun[event["id"]]["ts"] <= event["ts"] for event in events if event["ph"] == "f")
    check(events)


def test_every_unit_is_a_thread_with_its_phases() -> None:
    events = events_of(render_chrome(layout(played(eventful()))))
    threads = {event["args"]["name"]: event["tid"] for event in events if event["name"] == "thread_name"}
    assert [*threads] == ["critical path", "clone", "apt/base", "apt/tools", "db", "lint", "report", "late", "done"]
    tools = [event for event in events if event["ph"] == "X" and event["tid"] == threads["apt/tools"]]
    assert [(event["cat"], event["name"], event["ts"], event["dur"]) for event in tools] == [
        ("lock-wait", 'waits for lock "apt" of apt/base', 0, 2_000_000),
        ("running", "running", 2_000_000, 1_500_000),
    ]
    assert tools[0]["args"] == {"for": [{"lock": "apt", "holder": "apt/base"}]}
    (end,) = [event for event in events if event["ph"] == "i" and event["tid"] == threads["lint"]]
    assert (end["name"], end["ts"]) == ("failed", 2_500_000)
    assert end["args"]["outcome"] == "failed after 500 ms: exit status 2"


def test_the_critical_path_is_a_thread_and_flows_from_unit_to_unit() -> None:
    events = events_of(render_chrome(layout(played(eventful()))))
    path = [event for event in events if event["ph"] == "X" and event["cat"] == "critical-path"]
    assert [event["name"] for event in path] == ["apt/base", "db", "done"]
    flows = [(event["ph"], event["tid"], event["ts"]) for event in events if event["ph"] in "sf"]
    assert flows == [("s", 3, 1_999_999), ("f", 5, 2_000_000), ("s", 5, 4_999_999), ("f", 9, 4_999_999)]


def test_a_unit_without_phases_is_passed_over_by_the_flows() -> None:
    run = played(World([make_unit("t", kind="target"), make_unit("a", after=after("t")), make_unit("b", after=after("a"))]))
    flows = [event["tid"] for event in events_of(render_chrome(layout(run))) if event["ph"] in "sf"]
    assert flows == [3, 4]


def test_a_trace_has_the_whole_run_and_says_whether_it_ended() -> None:
    world = World([make_unit("a"), make_unit("b", kind="service")], {"b": [Life()]})
    world.stop(at=900.0)
    run = played(world)
    trace = json.loads(render_chrome(layout(run)))
    assert max(event["ts"] + event.get("dur", 0) for event in trace["traceEvents"]) == 900_000_000
    assert trace["otherData"] == {"run": "r", "begun_at": "2026-01-05T09:00:00+00:00", "has_ended": True}
    assert not json.loads(render_chrome(layout(structs.replace(run, over=None))))["otherData"]["has_ended"]


def test_text_from_outside_is_data() -> None:
    run = played(World([make_unit("a")]))
    run = structs.replace(run, rows=(structs.replace(run.rows[0], unit=STRANGE),), critical_path=())
    events = events_of(render_chrome(layout(run)))
    check(events)
    assert STRANGE in [event["args"]["name"] for event in events if event["name"] == "thread_name"]
