"""``runner stop``: end units, and before them all that depends on them."""

from __future__ import annotations

from argparse import Namespace

from ..rpc.methods import STOP
from .options import Parser
from .order import add_order, order


def configure(parser: Parser) -> None:
    """Add the options."""
    add_order(parser, "units to stop, after all that depends on them")


def run(options: Namespace) -> int:
    """Stop them."""
    return order(options, STOP, "stopping", "stop")
