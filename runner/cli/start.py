"""``runner start``: let units reach their goal, and with them what they need."""

from __future__ import annotations

from argparse import Namespace

from ..rpc.methods import START
from .options import Parser
from .order import add_order, order


def configure(parser: Parser) -> None:
    """Add the options."""
    add_order(parser, "units to start, with what they need and what is not there")


def run(options: Namespace) -> int:
    """Start them."""
    return order(options, START, "starting", "start")
