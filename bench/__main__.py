"""``python -m bench``: cold start, throughput, a second startup, releases, the sync socket, watchers: as ratios if possible."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from . import again, release, startup, sync, throughput, watch
from .figure import Figure, as_json, table, verdict
from .timing import CannotMeasure

ROUNDS = 5


def main() -> int:
    """Measure what was asked for, print it, and return the exit status: 0 where all could be measured, aims met or not."""
    names = ["startup", *(graph.name for graph in throughput.graphs()), "again", "release", "sync", "watch"]
    options = _parse(names)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        scratch = Path(name)
        env = {**os.environ, "XDG_STATE_HOME": str(scratch / "state"), "XDG_RUNTIME_DIR": str(scratch)}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start would compile what an installation has compiled
        try:
            floor = throughput.build_floor(scratch)
            benches = _benches(scratch, env, options.rounds, floor)
            figures = [figure for name in options.only or names for figure in benches[name]()]
        except CannotMeasure as error:
            print(error, file=sys.stderr)
            return 1
    facts = _facts(options.rounds, floor)
    if options.json:
        print(json.dumps({**facts, "figures": [as_json(figure) for figure in figures]}, indent=2))
    else:
        print(", ".join(f"{key} {value}" for key, value in facts.items()))
        print(f"\n{table(figures)}\n\n{verdict(figures)}")
    return 0


def _parse(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--rounds", type=_positive, default=ROUNDS, metavar="N", help=f"how often each is run (default: {ROUNDS})"
    )
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"one of: {', '.join(names)}; repeatable")
    parser.add_argument("--json", action="store_true", help="all figures as one JSON object, times in seconds")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _benches(scratch: Path, env: Mapping[str, str], rounds: int, floor: list[str]) -> dict[str, Callable[[], list[Figure]]]:
    return {
        "startup": partial(startup.measure, scratch, env, rounds),
        **{graph.name: partial(throughput.measure, scratch, env, rounds, floor, graph) for graph in throughput.graphs()},
        "again": partial(again.measure, scratch, env, rounds),
        "release": partial(release.measure, scratch, env, rounds),
        "sync": partial(sync.measure, scratch, env, rounds),
        "watch": partial(watch.measure, scratch, env, rounds),
    }


def _facts(rounds: int, floor: list[str]) -> dict[str, Any]:
    return {
        "Python": platform.python_version(),
        "CPUs": os.cpu_count(),
        "floor": "Python" if floor[0] == sys.executable else "C",
        "rounds": rounds,
    }


if __name__ == "__main__":
    sys.exit(main())
