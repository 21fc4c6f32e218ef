"""The drawings in a real browser: what is seen there is what the journal says."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.core.timeline import Timeline
from runner.show.timeline.html import render_html
from runner.show.timeline.layout import Layout
from runner.show.timeline.svg import render_svg

from .drawn import RECORDED, eventful, layout, played, recorded
from .test_html import strange

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")

MEASURE = """
const box = (element) => {
  const {left, width, top, height} = element.getBoundingClientRect();
  return [left, width, top, height];
};
return [...document.querySelectorAll(".line")].map((line) => ({
  unit: line.querySelector(".name").textContent,
  lane: box(line.querySelector(".lane")),
  bars: [...line.querySelectorAll(".bar")].map(box),
  stretch: [...line.querySelectorAll(".stretch")].map(box),
}));
"""
"""Where everything is: left, width, top, height in pixels."""
CLOSE = 0.6
"""Pixels by which a browser may round."""
THINNEST = 1.5


class Page:
    """A page in the one browser of all tests."""

    def __init__(self, browser: Chrome, directory: Path) -> None:
        self.browser = browser
        self._directory = directory

    def open(self, drawn: Layout) -> None:
        self.show("page.html", render_html(drawn))

    def show(self, name: str, text: str) -> None:
        file = self._directory / name
        file.write_text(text, encoding="utf-8")
        self.browser.get(file.as_uri())

    def measure(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.browser.execute_script(MEASURE)
        return found

    def all(self, css: str) -> list[WebElement]:
        return self.browser.find_elements("css selector", css)

    def one(self, css: str) -> WebElement:
        return self.browser.find_element("css selector", css)

    def line(self, unit: str) -> WebElement:
        return next(line for line in self.all(".line") if line.find_element("css selector", ".name").text == unit)

    def hover(self, element: WebElement) -> None:
        webdriver.ActionChains(self.browser, duration=0).move_to_element(element).perform()

    def press(self, *keys: str) -> None:
        webdriver.ActionChains(self.browser, duration=0).send_keys(*keys).perform()

    def tip(self) -> list[str]:
        """The lines of the tooltip, if it is shown."""
        tip = self.one("#tip")
        return tip.text.splitlines() if tip.is_displayed() else []

    def shown(self) -> list[str]:
        """The units whose lines are shown."""
        return [line.find_element("css selector", ".name").text for line in self.all(".line:not([hidden])")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("headless=new", "disable-gpu", "disable-dev-shm-usage", "window-size=1280,900", "no-first-run"):
        options.add_argument(f"--{argument}")
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture
def page(browser: Chrome, tmp_path: Path) -> Iterator[Page]:
    read_console(browser)
    yield Page(browser, tmp_path)
    assert read_console(browser) == [], "the console has something to say"


def read_console(browser: Any) -> list[Any]:
    """What the console has said since it was last read."""
    said: list[Any] = browser.get_log("browser")
    return said


def assert_bars_match(page: Page, run: Timeline, end: float) -> None:
    """Every bar is where its phase is in time, and as long."""
    phases = {row.unit: row.phases for row in run.rows}
    for line in page.measure():
        left, width, *_ = line["lane"]
        assert len(line["bars"]) == len(phases[line["unit"]])
        for bar, phase in zip(line["bars"], phases[line["unit"]], strict=True):
            assert bar[0] == pytest.approx(left + phase.begin / end * width, abs=CLOSE)
            assert bar[1] == pytest.approx(max(phase.duration / end * width, THINNEST), abs=CLOSE)


@pytest.mark.parametrize("name", RECORDED)
def test_bars_match_the_journal(name: str, page: Page) -> None:
    run = recorded(name)
    drawn = layout(run, whole=True)
    page.open(drawn)
    assert_bars_match(page, run, run.end)
    assert [line["unit"] for line in page.measure()] == [line.row.unit for line in drawn.lines]


def test_the_axis_has_its_marks_where_their_times_are(page: Page) -> None:
    page.open(layout("failures"))
    marks = page.all("#axis span")
    left, width, *_ = page.measure()[0]["lane"]
    assert [mark.text for mark in marks] == ["0", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s"]
    for second, mark in enumerate(marks):
        assert mark.rect["x"] == pytest.approx(left + second / recorded("failures").end * width, abs=1.0)


def test_the_critical_path_is_framed_and_its_arrows_lead_from_frame_to_frame(page: Page) -> None:
    drawn = layout("failures")
    page.open(drawn)
    lines = {line["unit"]: line for line in page.measure()}
    path = drawn.timeline.critical_path
    for stretch in path:
        left, width, *_ = lines[stretch.unit]["lane"]
        (frame,) = lines[stretch.unit]["stretch"]
        assert frame[0] == pytest.approx(left + stretch.begin / drawn.end * width, abs=CLOSE)
        assert frame[1] == pytest.approx((stretch.end - stretch.begin) / drawn.end * width, abs=CLOSE)
    arrows = [arrow.rect for arrow in page.all("#links i")]
    assert len(arrows) == len(path) - 1
    for arrow, one, after in zip(arrows, path, path[1:], strict=False):
        tail, head = lines[one.unit]["stretch"][0], lines[after.unit]["stretch"][0]
        assert arrow["x"] == pytest.approx(head[0], abs=3)
        assert arrow["y"] == pytest.approx(tail[2] + tail[3], abs=2)
        assert arrow["y"] + arrow["height"] == pytest.approx(head[2], abs=2)


def test_hovering_a_bar_tells_all_about_it(page: Page) -> None:
    page.open(layout(played(eventful())))
    assert page.tip() == []
    bars = page.line("apt/tools").find_elements("css selector", ".bar")
    page.hover(bars[0])
    assert page.tip() == [
        "apt/tools",
        "outcome",
        "succeeded in 1.5 s",
        "took",
        "1.5 s",
        "used",
        "100 ms of CPU, 1 B of memory",
        "command",
        "apt/tools",
        'waits for lock "apt" of apt/base 2 s 0.000 s to 2.000 s',
        "running 1.5 s 2.000 s to 3.500 s",
    ]
    assert page.one("#tip .this").text.startswith('waits for lock "apt"')
    page.hover(bars[1])
    assert page.one("#tip .this").text.startswith("running")
    page.hover(page.one("h1"))
    assert page.tip() == []


def test_a_recorded_bar_tells_its_exit_its_attempts_and_its_log(page: Page) -> None:
    page.open(layout("failures"))
    page.hover(page.line("net/download").find_elements("css selector", ".bar")[1])
    told = "\n".join(page.tip())
    assert "logs/net/download.log" in told
    assert "(attempt 3)" in told
    assert page.one("#tip .this").text.startswith("waits for its next attempt: exit status")


def test_tooltips_stay_within_the_window(page: Page) -> None:
    page.open(layout("wide"))
    width, height = page.browser.execute_script("return [innerWidth, innerHeight]")
    for line in page.all(".line")[::66]:
        page.hover(line.find_elements("css selector", ".bar")[-1])
        box = page.one("#tip").rect
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height


def test_the_filter_leaves_the_lines_that_are_looked_for(page: Page) -> None:
    drawn = layout("failures")
    page.open(drawn)
    box = page.one("#filter")
    box.send_keys("Failed")
    failed = [line.row.unit for line in drawn.lines if "failed" in f"{line.row.view.outcome} {line.row.view.reason}"]
    assert page.shown() == failed
    assert page.one("#count").text == f"{len(failed)} of {len(drawn.lines)}"
    assert not page.one("#links").is_displayed()
    box.clear()
    box.send_keys("critical net/")
    assert page.shown() == ["net/download", "net/unpack"]
    box.clear()
    box.send_keys(" ")
    assert len(page.shown()) == len(drawn.lines)
    assert page.one("#links").is_displayed()


def test_zooming_in_makes_bars_longer_and_marks_finer(page: Page) -> None:
    run = recorded("failures")
    page.open(layout(run, whole=True))
    before = page.measure()[0]["lane"][1]
    for _ in range(3):
        page.one("#larger").click()
    assert page.measure()[0]["lane"][1] == pytest.approx(before * 8, rel=0.02)
    assert_bars_match(page, run, run.end)
    assert "100 ms" in [mark.get_attribute("textContent") for mark in page.all("#axis span")]
    page.one("#smaller").click()
    assert page.measure()[0]["lane"][1] == pytest.approx(before * 4, rel=0.02)
    page.one("#fit").click()
    assert page.measure()[0]["lane"][1] == before


MIDDLE = """
const [axis, main] = [document.getElementById("axis").getBoundingClientRect(), document.querySelector("main")];
return (main.getBoundingClientRect().left + main.clientWidth / 2 - axis.left) / axis.width;
"""
"""Which part of the time is in the middle of the view."""


def test_zooming_keeps_the_middle_in_the_middle(page: Page) -> None:
    page.open(layout("failures"))
    before = page.browser.execute_script(MIDDLE)
    page.press("+", "+", "+", "+")
    assert page.browser.execute_script(MIDDLE) == pytest.approx(before, abs=0.001)


AT = "return document.elementFromPoint(arguments[0], arguments[1]).closest('.name, .tail, .axis')?.className"


def test_names_times_and_the_axis_stay_in_view(page: Page) -> None:
    page.open(layout("wide"))
    page.press("+", "+", "+")
    page.browser.execute_script("document.querySelector('main').scrollTo(2000, 1500)")
    width = page.browser.execute_script("return document.querySelector('main').clientWidth")
    y = page.one("main").rect["y"] + 200
    assert page.browser.execute_script(AT, 20, y) == "name"
    assert page.browser.execute_script(AT, width - 20, y) == "tail"
    assert page.browser.execute_script(AT, width / 2, page.one("main").rect["y"] + 10) == "axis"


def test_the_wheel_zooms_where_it_is_turned(page: Page) -> None:
    page.open(layout("failures"))
    bar = page.line("net/unpack").find_elements("css selector", ".bar")[-1]
    before = bar.rect
    origin = webdriver.common.actions.wheel_input.ScrollOrigin.from_element(bar)
    keys = webdriver.Keys
    webdriver.ActionChains(page.browser, duration=0).key_down(keys.CONTROL).scroll_from_origin(origin, 0, -100).key_up(
        keys.CONTROL
    ).perform()
    after = bar.rect
    assert after["width"] == pytest.approx(before["width"] * 1.25, rel=0.02)
    assert after["x"] + after["width"] / 2 == pytest.approx(before["x"] + before["width"] / 2, abs=2)


def test_all_can_be_done_from_the_keyboard(page: Page) -> None:
    keys = webdriver.Keys
    drawn = layout(played(eventful()))
    names = [line.row.unit for line in drawn.lines]
    page.open(drawn)
    page.press("/", "db", *[keys.TAB] * 4)
    assert page.shown() == ["db"]
    assert page.tip()[0] == "db"
    page.open(drawn)
    page.press("/", *[keys.TAB] * 4)
    for name in names:
        assert page.tip()[0] == name
        page.press(keys.ARROW_DOWN)
    assert page.tip()[0] == names[-1]
    page.press(keys.HOME)
    assert page.tip()[0] == names[0]
    page.press(keys.END, keys.ARROW_UP)
    assert page.tip()[0] == names[-2]
    before = page.measure()[0]["lane"][1]
    page.press("+")
    assert page.measure()[0]["lane"][1] > before
    page.press("0", keys.ESCAPE)
    assert page.measure()[0]["lane"][1] == before
    assert page.tip() == []


def test_what_comes_from_outside_is_text(page: Page) -> None:
    page.open(layout(strange()))
    page.hover(page.one(".line .bar"))
    assert "<script>alert(1)</script>]]>" in page.tip()[0]
    assert len(page.all("script")) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_in_dark(scheme: str, page: Page) -> None:
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    page.open(layout("failures"))
    ground = luminance(page.one("body").value_of_css_property("background-color"))
    assert (ground > 0.5) == (scheme == "light")
    for css in ("h1", "header p", ".name", ".on-path .name", ".bad .tail", "#axis span"):
        ink = luminance(page.one(css).value_of_css_property("color"))
        assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4.5, css


def luminance(color: str) -> float:
    """The relative luminance of a colour, as contrast is defined (WCAG 2)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_picture_is_drawn_by_a_browser_too(page: Page) -> None:
    drawn = layout("failures")
    page.show("picture.svg", render_svg(drawn))
    bars = [bar for bar in page.all("svg > g rect") if bar.get_attribute("class") != "stretch"]
    assert len(bars) == sum(len(line.bars) for line in drawn.lines)
    assert all(bar.rect["width"] >= 1 for bar in bars)
