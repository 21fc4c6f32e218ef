from __future__ import annotations

from runner.core.event import Declaration, Need, RunStarted, SyncCalled, UnitEnded, UnitReported, UnitWaiting, WaitsFor
from runner.core.event import Peer as Process
from runner.core.mask import Secrets
from runner.core.mask_value import mask_all, mask_value
from runner.core.unit import Command, Probe, Ready, Unit

SECRETS = Secrets(["hunter22", "succeeded", "oneshot", 'with"quote'])


def reported(text: str) -> UnitReported:
    return UnitReported(at=1.0, unit="a", text=text)


def test_events_without_a_secret_stay_themselves() -> None:
    events = [reported("x"), reported("y")]
    assert mask_all(events, SECRETS) is events
    assert mask_all(events, Secrets()) is events


def test_what_an_event_says_is_masked() -> None:
    assert mask_all([reported("my hunter22"), reported("y")], SECRETS) == [reported("my ***"), reported("y")]
    assert mask_all([reported('a "with\\"quote"')], SECRETS) == [reported('a "***"')]


def test_words_of_the_program_are_not() -> None:
    ended = UnitEnded(at=1.0, unit="a", outcome="succeeded", reason="succeeded hunter22")
    assert mask_all([ended], SECRETS) == [UnitEnded(at=1.0, unit="a", outcome="succeeded", reason="*** ***")]
    called = SyncCalled(at=1.0, unit="a", call="start", peer=Process(pid=1, uid=0, unit="hunter22"))
    assert mask_value(called, Secrets(["start "]).mask_text) == called
    assert mask_value(called, SECRETS.mask_text).peer.unit == "***"


def test_what_is_in_tuples_and_tables_is_masked_too() -> None:
    declared = Declaration(unit="a", kind="oneshot", description="hunter22", after=(Need(unit="b", requires="completion"),))
    started = RunStarted(at=0.0, run="r", version="1", pid=1, units=("a",), declared=(declared,))
    (masked,) = mask_all([started], SECRETS)
    assert masked == RunStarted(
        at=0.0,
        run="r",
        version="1",
        pid=1,
        units=("a",),
        declared=(Declaration(unit="a", kind="oneshot", description="***", after=(Need(unit="b", requires="completion"),)),),
    )
    unit = Unit(name="a", kind="service", command=Command(argv=("x", "hunter22")), env={"hunter22": "hunter22"}, umask=7)
    ready = Ready(probe=Probe(by="http", target="http://hunter22", status=(200,)))
    masked_unit = mask_value(Unit(name="a", kind="service", ready=ready), SECRETS.mask_text)
    assert masked_unit.ready == Ready(probe=Probe(by="http", target="http://***", status=(200,)))
    assert mask_value(unit, SECRETS.mask_text) == Unit(
        name="a", kind="service", command=Command(argv=("x", "***")), env={"***": "***"}, umask=7
    )
    waiting = UnitWaiting(at=1.0, unit="a", waits_for=(WaitsFor(lock="hunter22"),))
    assert mask_value(waiting, SECRETS.mask_text) == UnitWaiting(at=1.0, unit="a", waits_for=(WaitsFor(lock="***"),))
