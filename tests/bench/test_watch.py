from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench import watch
from bench.timing import CannotMeasure
from bench.watch import chain, latencies, measure


def events(*names: str) -> list[dict[str, object]]:
    return [
        event
        for place, name in enumerate(names)
        for event in (
            {"event": "unit-started", "unit": name, "elapsed": place + 0.25},
            {"event": "unit-reported", "unit": name, "elapsed": place + 0.5},
            {"event": "unit-ended", "unit": name, "elapsed": place + 0.75},
        )
    ]


def test_latency_is_from_an_end_to_the_next_start() -> None:
    assert latencies(events(*chain("with")), "with") == [0.5] * (len(chain("with")) - 1)


def test_a_unit_that_did_not_start_is_told() -> None:
    with pytest.raises(CannotMeasure, match="was not started"):
        latencies(events(*chain("with")[:-1]), "with")


def test_it_can_be_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("EVENTS", 8_000), ("SECONDS", 0.0), ("CHAIN", 3)):
        monkeypatch.setattr(watch, name, few)
    ratio, memory, recovery = measure(tmp_path, {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}, 1)
    assert ratio.value.median > 0
    assert memory.value.high < 50_000_000
    assert recovery.of.endswith("and a gap told so")
