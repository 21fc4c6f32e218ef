"""``runner retry``: run again what failed or timed out, then what was skipped because of it."""

from __future__ import annotations

from argparse import Namespace

from ..rpc.methods import RETRY
from .options import Parser
from .order import add_order, order


def configure(parser: Parser) -> None:
    """Add the options."""
    add_order(parser, "units to run again", "all that failed or timed out")


def run(options: Namespace) -> int:
    """Run them again."""
    return order(options, RETRY, "trying again", "start")
