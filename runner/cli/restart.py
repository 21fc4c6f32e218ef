"""``runner restart``: end units that run and begin them anew; others are started."""

from __future__ import annotations

from argparse import Namespace

from ..rpc.methods import RESTART
from .options import Parser
from .order import add_order, order


def configure(parser: Parser) -> None:
    """Add the options."""
    add_order(parser, 'units to restart, with those dependents whose "after" says "restart = true"')


def run(options: Namespace) -> int:
    """Restart them."""
    return order(options, RESTART, "restarting", "start")
