"""Fail unless every module of core/ and unitfile/ is fully covered, lines and branches, by the test file of its own name.

A module that is only covered because something else happens to use it has no tests. Run from the directory that holds tests/;
measured is the ``runner`` that this interpreter imports.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import runner

PACKAGE = Path(runner.__file__).parent
FOLDERS = ("core", "unitfile")


def modules() -> list[Path]:
    """The modules to be covered: those with a function in them. One that only declares has nothing to test."""
    return sorted(path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py") if _has_function(path))


def _has_function(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) for node in ast.walk(tree))


def own_tests(module: Path) -> Path:
    """``runner/core/graph.py`` is tested by ``tests/core/test_graph.py``, ``runner/core/__init__.py`` by ``test_init.py``."""
    folder = module.parent.relative_to(PACKAGE)
    return Path("tests") / folder / f"test_{module.stem.strip('_')}.py"


def check(scratch: Path, module: Path) -> str:
    """What is wrong with the coverage of a module; empty where nothing is."""
    tests = own_tests(module)
    name = f"runner/{module.relative_to(PACKAGE)}"
    if not tests.is_file():
        return f"{name}: cannot find {tests}"
    data = f"--data-file={scratch / '-'.join(module.relative_to(PACKAGE).parts)}"
    ran = _python("-m", "coverage", "run", data, "-m", "pytest", "-p", "no:cacheprovider", str(tests))
    if ran.returncode:
        return f"{name}: {tests} fails\n{ran.stdout}{ran.stderr}"
    report = _python("-m", "coverage", "report", data, f"--include={module}", "--show-missing", "--fail-under=100")
    return f"{name}: not fully covered by {tests}\n{report.stdout}{report.stderr}" if report.returncode else ""


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def main() -> int:
    """Check all modules, as many at a time as there are processors; the exit status."""
    found = modules()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [problem for problem in pool.map(partial(check, Path(scratch)), found) if problem]
    print("\n".join([*wrong, f"{len(found) - len(wrong)} of {len(found)} modules are fully covered by their own tests"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
