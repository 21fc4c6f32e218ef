"""Writes the pages and pictures of docs/ that are made of the code, or with ``--check`` names those that are not up to date.

Run as ``python docs/generate.py [--check]``. Each page is a module in ``docs/pages``, and the pictures are another;
``tests/test_docs.py`` compares what they make with the files.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from docs.pages import commands, events, states, unit_files  # noqa: E402
from docs.pages.pictures import PICTURES  # noqa: E402

PAGES: Final[dict[str, ModuleType]] = {
    "unit-files.md": unit_files,
    "states.md": states,
    "commands.md": commands,
    "events.md": events,
}

_NOTE: Final = "<!-- Made by docs/generate.py. Change {source} instead. -->\n\n"


def generate() -> dict[Path, str]:
    """The text of every generated page and picture, by its file."""
    pages = {f"reference/{name}": _NOTE.format(source=module.SOURCE) + module.page() for name, module in PAGES.items()}
    pictures = {f"pictures/{name}": draw() for name, draw in PICTURES.items()}
    return {ROOT / "docs" / name: text for name, text in {**pages, **pictures}.items()}


def main(arguments: list[str]) -> int:
    """Write what has changed, or only name it; the exit status."""
    outdated = [file for file, text in generate().items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    for file in outdated:
        if "--check" not in arguments:
            file.write_text(generate()[file], encoding="utf-8")
        sys.stdout.write(f"{file.relative_to(ROOT)}\n")
    return 1 if outdated and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
