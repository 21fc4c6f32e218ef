from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from msgspec import structs

from runner.core.timeline import Timeline, timeline
from runner.show.timeline.html import render_html
from tests.core.world import World, make_unit

from .drawn import RECORDED, STRANGE, eventful, layout, played

Attributes = dict[str, str | None]


class Page(HTMLParser):
    """The elements of a page and their text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, css: str) -> list[Attributes]:
        """The elements that have a class."""
        return [attributes for _, attributes in self.elements if css in (attributes.get("class") or "").split()]


def strange() -> Timeline:
    """A run in which everything that can come from outside is hostile."""
    run = played(World([make_unit("a")]))
    view = structs.replace(run.rows[0].view, outcome="failed", reason=STRANGE, text=STRANGE, command=STRANGE, log=STRANGE)
    phase = structs.replace(run.rows[0].phases[0], kind="backoff", reason=STRANGE)
    row = structs.replace(run.rows[0], unit=STRANGE, view=view, phases=(phase,))
    return structs.replace(run, run=STRANGE, rows=(row,), critical_path=())


@pytest.mark.parametrize("name", RECORDED)
def test_every_unit_has_a_line_and_every_phase_a_bar(name: str) -> None:
    drawn = layout(name)
    page = Page(render_html(drawn))
    assert len(page.of("line")) == len(drawn.lines)
    assert len([bar for bar in page.of("bar") if "data-phase" in bar]) == sum(len(line.bars) for line in drawn.lines)
    assert len(page.of("on-path")) == len(drawn.timeline.critical_path)


def test_the_page_needs_nothing_else() -> None:
    text = render_html(layout("failures"))
    assert not re.search(r"https?://|@import|url\(", text)
    assert not [attributes for _, attributes in Page(text).elements if {"src", "href"} & set(attributes)]
    names = set(re.findall(r"var\((--[a-z-]+)", text))
    assert names <= set(re.findall(r"(--[a-z-]+):", text)) | {"--zoom", "--step"}, "these two the script sets"


def test_no_script_but_the_pages_own_may_be_executed() -> None:
    text = render_html(layout(strange()))
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (policy,) = [attributes["content"] for tag, attributes in Page(text).elements if attributes.get("http-equiv")]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def test_text_from_outside_stays_text() -> None:
    text = render_html(layout(strange()))
    page, harmless = Page(text), Page(render_html(layout(played(World([make_unit("a")])))))
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in harmless.elements} | {"br"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert any("<script>alert(1)</script>]]>" in said for said in page.texts)


def test_a_run_that_is_not_drawn_whole_says_so() -> None:
    world = World([make_unit("a"), make_unit("b", kind="service")])
    world.stop(at=900.0)
    run = structs.replace(played(world), end=900.0)
    assert "--whole draws the whole run" in render_html(layout(run))
    assert "--whole" not in render_html(layout(run, whole=True)).split("</header>")[0]


def test_arrows_of_the_critical_path() -> None:
    run = played(eventful())
    links = Page(render_html(layout(run)).partition('<div id="links">')[2]).elements
    assert [attributes["class"] for tag, attributes in links if tag == "i"] == ["", ""]
    path = run.critical_path
    back = structs.replace(run, critical_path=(path[0], structs.replace(path[2], begin=5.5, end=5.5), path[1]))
    links = Page(render_html(layout(back)).partition('<div id="links">')[2]).elements
    assert [attributes["class"] for tag, attributes in links if tag == "i"] == ["later", "up"]


def test_an_empty_run_is_a_page_too() -> None:
    assert Page(render_html(layout(timeline([])))).of("line") == []
