"""The stand-in for ``coder`` on the PATH of units: it knows ``coder exp sync`` and nothing else."""

from __future__ import annotations

import sys

NOT_FOUND = 127
"""Exit status of a shell for a command that is not there, which is what the rest of ``coder`` is."""


def main(arguments: list[str]) -> int:
    """Run ``coder`` with these arguments and return its exit status."""
    if arguments[:2] != ["exp", "sync"]:
        sys.stderr.write('coder: cannot run this: here is only the runner\'s stand-in, which knows "coder exp sync"\n')
        return NOT_FOUND
    from . import mind_errors
    from .sync import run_sync

    return mind_errors(lambda: run_sync("coder exp sync", arguments[2:]))
