"""The colours and lines of a drawn graph, in the light and in the dark mode of a browser.

A group has a colour, for units of a group to be seen together; what a unit is, its shape says, not its colour.
"""

from __future__ import annotations

from typing import Final

_COLOURS: Final[dict[str, tuple[str, str]]] = {
    "page": ("#ffffff", "#14171c"),
    "ink": ("#1c2128", "#e4e8ee"),
    "muted": ("#5b6573", "#98a3b3"),
    "edge": ("#7a8594", "#8b96a5"),
    "success": ("#2f8a50", "#4fbf78"),
    "failure": ("#c92a2a", "#ff7b72"),
    "plain-fill": ("#f5f6f8", "#222730"),
    "plain-line": ("#8a94a2", "#76818f"),
}
"""By name: on light and on dark."""

_HUES: Final = (212, 145, 32, 275, 188, 345, 85, 12, 245, 60)
GROUP_COLOURS: Final = len(_HUES)
"""How many colours there are for groups."""

_LINES: Final = """\
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--ink)}
.page{fill:var(--page)}
.muted{fill:var(--muted)}
.small{font-size:10px}
.box{fill:var(--plain-fill);stroke:var(--plain-line);stroke-width:1.4}
.optional .box{stroke-dasharray:4 3}
.target .box{stroke-width:2.4}
.lock{fill:none;stroke:var(--muted);stroke-width:1.1}
.lock-body{fill:var(--muted)}
.edge{fill:none;stroke:var(--edge);stroke-width:1.3;marker-end:url(#arrow)}
.completion{stroke-dasharray:6 4}
.may-fail{stroke-dasharray:2 3}
.success{stroke:var(--success);stroke-dasharray:2 3;marker-end:url(#arrow-success)}
.failure{stroke:var(--failure);stroke-dasharray:2 3;marker-end:url(#arrow-failure)}
.implied{opacity:.28}
.unit:hover .box,.edge:hover{stroke-width:2.6}
"""


def style() -> str:
    """What stands between ``<style>`` and its end."""
    return _of_mode(0) + "@media (prefers-color-scheme:dark){\n" + _of_mode(1) + "}\n" + _LINES + "".join(map(_group, _groups()))


def _of_mode(mode: int) -> str:
    colours = [f"--{name}:{pair[mode]}" for name, pair in _COLOURS.items()]
    for number, hue in enumerate(_HUES):
        fill, line = (
            (f"hsl({hue},70%,95%)", f"hsl({hue},45%,52%)") if mode == 0 else (f"hsl({hue},26%,19%)", f"hsl({hue},42%,58%)")
        )
        colours += [f"--fill-{number}:{fill}", f"--line-{number}:{line}"]
    return f"svg{{color-scheme:light dark;{';'.join(colours)}}}\n"


def _groups() -> range:
    return range(GROUP_COLOURS)


def _group(number: int) -> str:
    return f".group-{number} .box{{fill:var(--fill-{number});stroke:var(--line-{number})}}\n"
