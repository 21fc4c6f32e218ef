"""Who imports whom: the table of the architecture, held to by reading every import of every module."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import runner
from runner.cli import COMMANDS

PACKAGE = Path(runner.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT_OF_OURS = {
    "__init__": set[str](),
    "__main__": {"cli"},
    "errors": set[str](),
    "core": {"errors"},
    "unitfile": {"core", "errors"},
    "rpc": {"errors"},
    "supervisor": {"core", "unitfile", "rpc", "errors", "__init__"},
    "show": {"core", "errors"},
    "api": {"core", "rpc", "supervisor", "errors"},
    "cli": {"core", "unitfile", "rpc", "supervisor", "show", "errors", "__init__"},
}
"""For each folder or module at the top, the others that it may import."""

ONLY_IN = {"trio": ("supervisor", "api"), "asyncio": ("api",), "rich": ("show",), "argparse": ("cli",)}
"""Libraries that belong to some folders."""

PURE = {
    "__future__",
    "bisect",
    "collections",
    "contextlib",
    "dataclasses",
    "difflib",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "math",
    "msgspec",
    "operator",
    "re",
    "types",
    "typing",
}
"""All that the core may import: nothing in it knows of files, clocks, chance, the environment or a log."""

FILE_MODULES = {"fcntl", "glob", "grp", "io", "os", "pwd", "resource", "shutil", "stat", "tempfile"}
FILE_CALLS = {
    *("open", "exists", "is_dir", "is_file", "stat", "lstat", "iterdir", "glob", "rglob", "scandir"),
    *("read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "rename", "touch"),
}
"""With one of these, a path is more than a name."""


def place(file: Path) -> str:
    """The folder or module at the top that a file belongs to."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[str]:
    """The full names of all modules that a file imports, those inside functions too."""
    package = ["runner", *file.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "runner" else [module]


def touches_files(file: Path) -> bool:
    """Whether a module imports or calls what reaches the disk."""
    calls = (node.func for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
    return bool(FILE_CALLS & names or FILE_MODULES & {module.split(".")[0] for module in imports(file)})


def ours(file: Path) -> Iterator[str]:
    """The places that a file imports from, its own aside."""
    for module in imports(file):
        parts = module.split(".")
        if parts[0] == "runner":
            target = parts[1] if parts[1] in MAY_IMPORT_OF_OURS else "__init__"
            if target != place(file):
                yield target


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_place_may(file: Path) -> None:
    assert set(ours(file)) <= MAY_IMPORT_OF_OURS[place(file)]
    libraries = {module.split(".")[0] for module in imports(file)}
    assert not [library for library, homes in ONLY_IN.items() if library in libraries and place(file) not in homes]


@pytest.mark.parametrize("file", sorted((PACKAGE / "core").glob("*.py")), ids=lambda file: file.stem)
def test_the_core_is_pure(file: Path) -> None:
    foreign = {module.split(".")[0] for module in imports(file)} - {"runner"}
    assert foreign <= PURE


def test_one_module_of_unitfile_touches_files() -> None:
    assert [file.name for file in sorted((PACKAGE / "unitfile").glob("*.py")) if touches_files(file)] == ["files.py"]


def test_showing_touches_no_files() -> None:
    assert not [file.name for file in (PACKAGE / "show").glob("*.py") if touches_files(file)]


def test_what_is_shown_was_decided() -> None:
    readers = [*(PACKAGE / "show").rglob("*.py"), PACKAGE / "core" / "snapshot.py"]
    assert not [file.name for file in readers if {"runner.core.observed", "runner.core.engine"} & {*imports(file)}]


def test_every_command_of_the_table_has_its_module() -> None:
    assert all((PACKAGE / "cli" / f"{module}.py").exists() for module, _ in COMMANDS.values())


def imported_by(code: str) -> set[str]:
    """The modules that some code imports, beyond those that every interpreter has."""
    program = f"import __future__, os, sys; old = {{*sys.modules}}; {code}; print(*{{*sys.modules}} - old, file=sys.stderr)"
    path = os.pathsep.join([str(PACKAGE.parent), *(entry for entry in sys.path if entry)])
    environment = {**os.environ, "PYTHONPATH": path, "COVERAGE_PROCESS_START": ""}
    done = subprocess.run([sys.executable, "-S", "-c", program], env=environment, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_the_version_and_the_command_table_import_nothing(argument: str) -> None:
    assert imported_by(f"import runner.cli; runner.cli.main(['{argument}'])") == {"runner", "runner.cli", "runner.cli.stdout"}


def test_who_only_names_the_api_imports_neither_of_its_libraries() -> None:
    assert not imported_by("import runner.api") & {"trio", "asyncio"}
    assert "asyncio" not in imported_by("import runner.api.call, runner.api.command, runner.api.log")


def test_a_command_imports_no_other_and_nothing_that_only_a_run_needs() -> None:
    imported = imported_by("import runner.cli; runner.cli.main(['check', '--help'])")
    assert "runner.cli.check" in imported
    assert not imported & {"runner.cli.up", "runner.cli.plan", "runner.cli.graph", "trio", "rich"}
