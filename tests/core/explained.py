"""Situations in which somebody asks why: units, what happens to them, a moment, a unit, and what is to be answered.

Each file of ``explanations/`` is one. The engine plays it in virtual time; of its journal is kept what had happened by then.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
from msgspec import structs

from runner.core.declare import declarations
from runner.core.event import Decided, DurationsExpected, JournalEvent, RunStarted, UnitStarted
from runner.core.explain import Explanation, explain
from runner.core.graph import link
from runner.core.snapshot import Snapshot, fold

from .test_scenarios import Scenario, play, read_unit

FILES = sorted(Path(__file__).with_name("explanations").glob("*.toml"))


class Situation(Scenario, forbid_unknown_fields=True, kw_only=True):
    history: str = ""
    """Not told here."""
    at: float
    why: str
    """The unit that is asked about."""
    expected: dict[str, float] = {}
    """How long units usually take, in seconds."""
    events: list[JournalEvent] = []
    """What no engine decides yet, or what stands in journals of other versions: put at the end."""
    chain: str
    """The units of the chain, each with what holds it up."""
    says: str
    """What is to be read."""


def read_situation(path: Path) -> Situation:
    return msgspec.convert(tomllib.loads(path.read_text()), Situation)


def snapshot_of(situation: Situation) -> Snapshot:
    """The run at the moment of asking."""
    graph, _ = link([read_unit(name, dict(fields)) for name, fields in situation.units.items()])
    begun, *journal = play(situation).journal
    assert isinstance(begun, RunStarted)
    jobs = msgspec.UNSET if situation.jobs is None else situation.jobs
    begun = structs.replace(begun, declared=declarations(graph), jobs=jobs)
    expected = DurationsExpected(at=0.0, durations=situation.expected)
    happened = [_with_log(event) for event in journal if event.at <= situation.at]
    return fold([begun, expected, *happened, *situation.events])


def explain_situation(situation: Situation) -> Explanation:
    return explain(snapshot_of(situation), situation.why, situation.at)


def _with_log(event: Decided) -> Decided:
    """Units of the virtual world write nothing; here they have a log all the same, as they have in real life."""
    if isinstance(event, UnitStarted) and event.command:
        return structs.replace(event, log=f"/state/logs/{event.unit}.log")
    return event


def tell_chain(explanation: Explanation) -> str:
    """The chain in one line: ``web -dependency-> api -lock apt-> base``."""
    said = ""
    for one in explanation.chain:
        said += one.unit
        if hold := one.hold:
            words = [hold.by, hold.lock, str(hold.jobs or ""), hold.on]
            words += [f"[{' '.join(hold.others)}]"] if hold.others else []
            words += [f"{hold.since:g}.."] if hold.since is not None else []
            words[-1] += f"{hold.until:g}" if hold.since is not None and hold.until is not None else ""
            said += f" -{' '.join(filter(None, words))}-> "
    return said.strip()
