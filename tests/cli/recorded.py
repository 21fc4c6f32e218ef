"""A state directory with the journals of recorded runs."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests import recordings

_HERE = Path(recordings.__file__).parent


def write_runs(state: Path, *names: str) -> str:
    """Journals of recorded runs, the first of which is the oldest: ``2026010NT090000-1000``."""
    journals = state / "journal"
    journals.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names, start=1):
        plain = _HERE / f"{name}.jsonl"
        data = plain.read_bytes() if plain.exists() else gzip.decompress(plain.with_suffix(".jsonl.gz").read_bytes())
        (journals / f"2026010{number}T090000-1000.jsonl").write_bytes(data)
    return str(state)
