from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from bench import sync
from bench.sync import ROWS, Found, serving, time_abandonment, time_connections, time_one_start, time_processes, time_waiters


def test_every_value_has_a_row() -> None:
    assert {one.name for one in fields(Found)} == set(ROWS)


def test_all_can_be_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("WAITERS", 5), ("PROCESSES", 2), ("CONNECTIONS", 5), ("WARM_UP", 1), ("SETTLING", 0.0)):
        monkeypatch.setattr(sync, name, few)
    with serving(tmp_path, {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}) as supervisor:
        releases, all_went_on = time_waiters(supervisor)
        assert len(releases) == 5
        assert 0 < min(releases) <= max(releases) <= all_went_on
        assert time_one_start(supervisor) > 0
        assert time_processes(supervisor) > 0
        assert time_abandonment(supervisor) > 0
        assert time_connections(supervisor)[0] > 0
