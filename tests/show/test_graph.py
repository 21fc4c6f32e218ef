from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from runner.show.graph import RENDERERS, render_dot, render_json, render_mermaid, render_text
from tests.snapshot import assert_snapshot

from .units import GRAPHS, graph, unit, workspace

SNAPSHOTS = Path(__file__).parent / "snapshots"
SUFFIXES = {"text": "txt", "dot": "dot", "mermaid": "mmd", "json": "json"}
STRANGE = 'a"b\\c#d;e`f<g>&\n\x1b[0m/x'
"""A name that no unit file can give: nothing may rely on that."""


@pytest.mark.parametrize("form", SUFFIXES)
@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_are_drawn_as_written(name: str, form: str) -> None:
    assert_snapshot(RENDERERS[form](GRAPHS[name]), SNAPSHOTS / f"graph-{name}.{SUFFIXES[form]}")


def test_all_forms_are_tested() -> None:
    assert {*SUFFIXES, "svg"} == set(RENDERERS)


def test_a_tree_names_every_unit_and_draws_what_is_below_it_once() -> None:
    linked = workspace()
    lines = render_text(linked).splitlines()
    first = [re.sub(r"^[│├└─ ]*", "", line).split(" ")[0] for line in lines if "see above" not in line]
    assert set(first) == set(linked.units)
    assert all(first.count(name) == 1 for name in linked.units if linked.after[name])


def test_a_chain_deeper_than_pythons_stack_is_drawn() -> None:
    chain = [unit("u0"), *(unit(f"u{number}", f"u{number - 1}") for number in range(1, 3000))]
    assert len(render_text(graph(*chain)).splitlines()) == 3000


def test_strange_names_stay_inside_their_quotes() -> None:
    linked = graph(unit(STRANGE), unit("b", STRANGE))
    for form in (render_dot, render_mermaid):
        text = form(linked)
        assert "\x1b" not in text
        assert len(text.splitlines()) == len(form(graph(unit("a/x"), unit("b", "a/x"))).splitlines())
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", render_dot(linked))
    assert '"' not in outside
    assert set(re.findall(r"[A-Za-z_]+", outside)) == {"digraph", "units", "rankdir", "LR", "subgraph", "label", "shape", "box"}
    assert '"a#34;b#92;c#35;d;e#96;f#60;g#62;#38;#92;n#92;x1b[0m/x"' in render_mermaid(linked)


def test_every_edge_is_an_arrow_in_every_form() -> None:
    linked = workspace()
    edges = {(dependency, name) for name in linked.units for dependency in linked.after[name]}
    dot = set(re.findall(r'^  "(.*)" -> "([^"]*)"', render_dot(linked), re.MULTILINE))
    assert dot == {*edges, ("checks/test", "checks/report")}
    names = dict(re.findall(r'^ *(u\d+)\W+?"(.*)"', render_mermaid(linked), re.MULTILINE))
    arrows = re.findall(r"^  (u\d+) (?:-->|-\. .* \.->) (u\d+)$", render_mermaid(linked), re.MULTILINE)
    assert {(names[tail], names[head]) for tail, head in arrows} == dot
    assert {(edge["dependency"], edge["unit"]) for edge in json.loads(render_json(linked))["edges"]} == edges


def test_an_entry_of_before_is_said_to_be_its_own() -> None:
    first = unit("first")
    linked = graph(unit("second"), type(first)(name="first", kind="oneshot", before=unit("x", "second").after))
    (edge,) = json.loads(render_json(linked))["edges"]
    assert edge == {
        "unit": "second",
        "dependency": "first",
        "requires": "success",
        "may_fail": False,
        "declared_by": "first",
        "key": "before",
    }
