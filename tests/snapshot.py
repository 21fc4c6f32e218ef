"""Compares text with what a file says it should be. ``UPDATE_SNAPSHOTS=1`` writes the files anew, for a person to compare."""

from __future__ import annotations

import os
from pathlib import Path


def assert_snapshot(text: str, file: Path) -> None:
    """The text is exactly what the file holds."""
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"{file} differs; UPDATE_SNAPSHOTS=1 rewrites it"
