"""``runner plan``: show what would run, in which order; start nothing."""

from __future__ import annotations

from argparse import Namespace

from ..show.plan import make_plan, render_json, render_text
from .options import Parser, add_json, add_names, add_units, check_names, load_graph
from .stdout import write_out


def configure(parser: Parser) -> None:
    """Add the options."""
    add_names(parser, "all units")
    add_units(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Print the plan."""
    graph = load_graph(options)
    plan = make_plan(graph, check_names(graph, options.names))
    write_out(render_json(plan) if options.json else render_text(plan))
    return 0
