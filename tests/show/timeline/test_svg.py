from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec import structs

from runner.core.timeline import timeline
from runner.show.timeline.svg import render_svg
from tests.core.world import Life, World, make_unit
from tests.snapshot import assert_snapshot

from .drawn import RECORDED, STRANGE, after, eventful, layout, played

SNAPSHOTS = Path(__file__).parent / "snapshots"
SVG = "{http://www.w3.org/2000/svg}"


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def rects(picture: ElementTree.Element, title: str) -> list[tuple[float, float]]:
    """Where the bars of a unit begin and how wide they are."""
    found = [rect for rect in picture.iter(f"{SVG}rect") if (rect.findtext(f"{SVG}title") or "").startswith(f"{title}: ")]
    return [(float(rect.attrib["x"]), float(rect.attrib["width"])) for rect in found]


def test_a_small_run_is_drawn_as_written() -> None:
    assert_snapshot(render_svg(layout(played(eventful()))), SNAPSHOTS / "eventful.svg")


@pytest.mark.parametrize("name", RECORDED)
def test_bars_are_as_long_as_their_phases(name: str) -> None:
    drawn = layout(name)
    picture = parsed(render_svg(drawn))
    marks = [float(line.attrib["x1"]) for line in picture.iter(f"{SVG}line")]
    times = drawn.marks(10)
    assert len(marks) == len(times)
    scale = (marks[-1] - marks[0]) / times[-1]
    for line in drawn.lines[:: max(len(drawn.lines) // 20, 1)]:
        bars = rects(picture, line.row.unit)
        assert len(bars) == len(line.bars)
        for (x, width), bar in zip(bars, line.bars, strict=True):
            assert x == pytest.approx(marks[0] + bar.begin * scale, abs=0.1)
            assert width == pytest.approx(max((bar.end - bar.begin) * scale, 1.5), abs=0.1)


def test_it_stands_alone_without_scripts_and_in_both_lights() -> None:
    text = render_svg(layout("failures"))
    assert "<script" not in text
    assert re.findall(r"https?://[^\"' <]*", text) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme:dark" in text
    names = set(re.findall(r"var\((--[a-z-]+)\)", text))
    assert names <= set(re.findall(r"(--[a-z-]+):", text))


def test_tooltips_tell_the_phase_and_the_unit() -> None:
    picture = parsed(render_svg(layout(played(eventful()))))
    titles = [title.text or "" for title in picture.iter(f"{SVG}title")]
    assert 'apt/tools: waits for lock "apt" of apt/base\n2 s, 0.000 s to 2.000 s' in titles
    assert any(title.startswith("lint\noutcome: failed after 500 ms: exit status 2") for title in titles)


def test_the_critical_path_is_drawn_with_an_arrow_for_each_step() -> None:
    picture = parsed(render_svg(layout(played(eventful()))))
    stretches = [rect for rect in picture.iter(f"{SVG}rect") if rect.get("class") == "stretch"]
    assert len(stretches) == 3 + 1, "and one in the legend"
    assert len([path for path in picture.iter(f"{SVG}path") if path.get("class") == "link"]) == 2


def test_an_arrow_goes_along_where_time_passes_and_up_where_the_next_is_above() -> None:
    units = [make_unit("a"), make_unit("b"), make_unit("c", after=after("a"))]
    run = played(World(units, {"b": [Life(runs=3.0)]}, jobs=1))
    (path,) = [path.attrib["d"] for path in parsed(render_svg(layout(run))).iter(f"{SVG}path") if path.get("class") == "link"]
    assert re.fullmatch(r"M[\d.]+ 104H[\d.]+V143", path)
    back = structs.replace(run, critical_path=run.critical_path[::-1])
    (path,) = [path.attrib["d"] for path in parsed(render_svg(layout(back))).iter(f"{SVG}path") if path.get("class") == "link"]
    assert re.fullmatch(r"M[\d.]+ 152H[\d.]+V113", path)


def test_text_from_outside_stays_text() -> None:
    run = played(World([make_unit("a")]))
    view = structs.replace(run.rows[0].view, reason=STRANGE, text=STRANGE, command=STRANGE, duration=0.0)
    run = structs.replace(run, run=STRANGE, rows=(structs.replace(run.rows[0], unit=STRANGE, view=view),), critical_path=())
    text = render_svg(layout(run))
    picture = parsed(text)
    assert not list(picture.iter(f"{SVG}script"))
    assert "<script>alert(1)</script>]]>" in (picture.findtext(f"{SVG}title") or "")


def test_an_empty_run_is_a_picture_too() -> None:
    assert parsed(render_svg(layout(timeline([])))).tag == f"{SVG}svg"
