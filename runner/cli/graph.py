"""``runner graph``: draw which unit waits for which; start nothing."""

from __future__ import annotations

from argparse import Namespace

from ..show.graph import RENDERERS
from ..show.subgraph import subgraph
from .options import Parser, add_format, add_names, add_units, check_names, load_graph
from .stdout import write_out


def configure(parser: Parser) -> None:
    """Add the options."""
    add_names(parser, "all units")
    add_units(parser)
    add_format(parser, [*RENDERERS], "a tree for people, a drawing for Graphviz, one for Mermaid, a picture, data for programs")


def run(options: Namespace) -> int:
    """Print the graph."""
    graph = load_graph(options)
    if names := check_names(graph, options.names):
        graph = subgraph(graph, names)
    write_out(RENDERERS[options.format](graph))
    return 0
