from pathlib import Path
from typing import Any

import pytest

from bench.release import KINDS, latencies, write_services
from bench.timing import CannotMeasure


def events(*kinds: str) -> list[dict[str, Any]]:
    return [
        event
        for place, kind in enumerate(kinds)
        for event in (
            {"event": "unit-started", "unit": kind, "elapsed": place + 0.1},
            {"event": "unit-ready", "unit": kind, "elapsed": place + 0.5},
            {"event": "unit-started", "unit": f"after-{kind}", "elapsed": place + 0.502},
        )
    ]


def test_latency_is_from_ready_to_the_start_of_the_dependent() -> None:
    assert latencies(events(*KINDS)) == {kind: pytest.approx(0.002) for kind in KINDS}


def test_a_service_that_never_got_ready_is_told() -> None:
    with pytest.raises(CannotMeasure, match=r"not started: notify$"):
        latencies(events(*KINDS[:-1]))


def test_every_kind_has_a_service_and_a_dependent_in_one_chain(tmp_path: Path) -> None:
    write_services(tmp_path)
    files = {path.stem: path.read_text() for path in (tmp_path / "units").iterdir()}
    assert set(files) == {*KINDS, *(f"after-{kind}" for kind in KINDS)}
    for kind, earlier in zip(KINDS[1:], KINDS, strict=False):
        assert f'after = ["after-{earlier}"]' in files[kind]
        assert f'after = ["{kind}"]' in files[f"after-{kind}"]
