"""Draws a graph: as a tree for people, as a picture, for Graphviz and Mermaid, and as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ...core.graph import Graph
from .data import render_json
from .dot import render_dot
from .mermaid import render_mermaid
from .svg import render_svg
from .tree import render_text

__all__ = ["RENDERERS", "render_dot", "render_json", "render_mermaid", "render_svg", "render_text"]

RENDERERS: Final[Mapping[str, Callable[[Graph], str]]] = {
    "text": render_text,
    "dot": render_dot,
    "mermaid": render_mermaid,
    "svg": render_svg,
    "json": render_json,
}
"""What ``--format`` can name."""
