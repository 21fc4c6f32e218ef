"""Cold start: how long the shortest commands take, against the interpreter alone and against one that imports trio."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from .figure import Figure
from .graphs import independent, write_units
from .timing import RUNNER, Spread, alternate, ratios, time_command

SECTION = "cold start"
AIM = 1.5
"""``up`` of one trivial unit takes at most so many times what ``import trio`` takes."""

BARE = "python -c pass"
TRIO = "python -c 'import trio'"
UP = "runner up, one unit"


def measure(scratch: Path, env: Mapping[str, str], rounds: int) -> list[Figure]:
    """Time each command once a round, in turn."""
    units = scratch / "one"
    write_units(independent(1), units)
    commands = {
        BARE: (sys.executable, "-c", "pass"),
        TRIO: (sys.executable, "-c", "import trio"),
        "runner --version": (*RUNNER, "--version"),
        "runner check": (*RUNNER, "check", "--units", str(units)),
        UP: (*RUNNER, "up", "--units", str(units), "--output", "plain"),
    }
    seconds = alternate({name: partial(time_command, command, env) for name, command in commands.items()}, rounds)
    times = [Figure(SECTION, name, Spread.of(found), "ms") for name, found in seconds.items()]
    against = [("runner --version", BARE, None), ("runner check", TRIO, None), (UP, TRIO, AIM)]
    return [
        *times,
        *(Figure(SECTION, f"{name} / {base}", ratios(seconds[name], seconds[base]), "x", aim) for name, base, aim in against),
    ]
