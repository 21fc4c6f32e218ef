"""The options that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..core.graph import Graph
from ..core.names import hint_for
from ..errors import InvalidUnits, UsageError
from ..unitfile import Loaded, load
from .stdout import hide, write_err

if TYPE_CHECKING:
    from ..supervisor.paths import StatePaths


class _Help(argparse.HelpFormatter):
    """Wraps what is prose. A paragraph with indented lines is a table, and stays as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        return "\n\n".join(part if "\n " in part else fill(part, width, indent) for part in text.split("\n\n"))


class Parser(argparse.ArgumentParser):
    """A command's arguments. What is wrong with them is raised as a UsageError like everything else that is wrong."""

    def __init__(self, command: str, summary: str) -> None:
        super().__init__(
            prog=f"runner {command}",
            usage=f"runner {command} [OPTION...]",
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=_Help,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found wrong."""
        raise UsageError(f'cannot understand the arguments of "{self.prog}": {message}', hint=f'see "{self.prog} --help"')


def add_units(parser: Parser) -> None:
    """``--units DIR``, once for each directory: where the unit files are."""
    parser.add_argument(
        "--units",
        metavar="DIR",
        type=Path,
        action="append",
        help="directory of unit files; of several, later ones replace and change what earlier ones have (default: "
        "$RUNNER_UNITS, or those that exist of /etc/runner/units, $XDG_CONFIG_HOME/runner/units and ./units)",
    )


def add_state(parser: Parser) -> None:
    """``--state DIR``: where logs, journals and the history are kept."""
    parser.add_argument(
        "--state", metavar="DIR", type=Path, help="directory for logs and journals (default: one in $XDG_STATE_HOME/runner)"
    )


def add_socket(parser: Parser) -> None:
    """``--socket PATH``: where the supervisor is spoken to."""
    parser.add_argument(
        "--socket",
        metavar="PATH",
        help="the supervisor's socket (default: $RUNNER_SOCKET, or runner/runner.sock in $XDG_RUNTIME_DIR, or the one of this "
        "user in /tmp)",
    )


def add_names(parser: Parser, default: str) -> None:
    """``[UNIT|GROUP...]``: which units the command is about."""
    parser.usage = f"{parser.usage} [UNIT|GROUP...]"
    parser.add_argument(
        "names",
        metavar="UNIT|GROUP",
        nargs="*",
        help=f"units, or groups for all of their members, with what they depend on (default: {default})",
    )


def add_jobs(parser: Parser) -> None:
    """``--jobs N``: how many units may work at a time."""
    parser.add_argument("--jobs", metavar="N", type=_parse_count, help="let at most N units work at a time (default: all)")


def add_staying(parser: Parser) -> None:
    """``--detach`` and ``--stop-with PID``: whether the supervisor stays, and with whom it goes."""
    parser.add_argument(
        "--detach", action="store_true", help="show the startup until it is finished, and leave the supervisor running on its own"
    )
    parser.add_argument(
        "--stop-with", metavar="PID", type=_parse_count, help="stop everything, units first, when this process ends"
    )


def add_color(parser: Parser) -> None:
    """``--color WHEN``: whether colours are used."""
    parser.add_argument(
        "--color",
        metavar="WHEN",
        choices=["auto", "always", "never"],
        default="auto",
        help="auto, always or never: whether to use colours (default: auto: on a terminal, unless NO_COLOR is set)",
    )


def add_timeout(parser: Parser) -> None:
    """``--timeout DURATION``: how long to wait, as seconds in ``timeout``; None: for ever."""
    parser.add_argument(
        "--timeout", metavar="DURATION", type=_parse_duration, help="wait no longer than this, such as 30s or 1m30s"
    )


def add_json(parser: Parser) -> None:
    """``--json``: data instead of text."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_format(parser: Parser, formats: Sequence[str], meaning: str) -> None:
    """``--format FORMAT``, the first of which is the default, and ``--json`` for the one that many commands have."""
    names = f"{', '.join(formats[:-1])} or {formats[-1]}"
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        choices=formats,
        default=formats[0],
        help=f"{names}: {meaning} (default: {formats[0]})",
    )
    parser.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")


def units_directories(given: list[Path] | None, environment: Mapping[str, str]) -> list[Path]:
    """The directories of unit files: those given, else those of ``RUNNER_UNITS``, else the usual ones that exist.

    Raises UsageError where there is none. That a directory which somebody named does not exist is for the reader to say.
    """
    if given:
        return given
    if named := [Path(part) for part in environment.get("RUNNER_UNITS", "").split(":") if part]:
        return named
    config_home = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "/")) / ".config")
    usual = [Path("/etc/runner/units"), Path(config_home) / "runner" / "units", Path("units")]
    if found := [directory for directory in usual if directory.is_dir()]:
        return found
    places = ", ".join(str(directory) for directory in usual)
    raise UsageError(f"cannot find unit files: none of {places} exists", hint='name their directory: "--units DIR"')


def find_directories(given: list[Path] | None, environment: Mapping[str, str]) -> Callable[[], list[Path]]:
    """Finds the directories now and whenever it is called: where none is left by then, those that there were."""
    known = units_directories(given, environment)

    def find() -> list[Path]:
        try:
            return units_directories(given, environment)
        except UsageError:
            return known

    return find


def find_paths(options: argparse.Namespace) -> StatePaths:
    """The state directory: the one that is named, or the one of the unit files."""
    from ..supervisor.paths import StatePaths, state_paths

    if options.state:
        return StatePaths(os.path.abspath(options.state))  # noqa: PTH100
    return state_paths(units_directories(options.units, os.environ)[0], os.environ)


def load_graph(options: argparse.Namespace) -> Graph:
    """The units of ``--units`` and their edges, to be shown: secrets are masked. Nobody may run them.

    Warnings are told on standard error; errors raise InvalidUnits.
    """
    loaded = load_units(options, to_run=False)
    if not loaded.secrets:
        return loaded.graph
    from copy import copy

    from ..core.mask_value import mask_value

    graph = copy(loaded.graph)
    graph.units = {name: mask_value(unit, loaded.secrets.mask_text) for name, unit in graph.units.items()}
    return graph


def load_units(options: argparse.Namespace, *, to_run: bool = True) -> Loaded:
    """The units as they are, and where each is declared. What is secret in them is hidden in all that is written.

    Not ``to_run``: what this process may do for them does not matter.
    """
    loaded = read_units(units_directories(options.units, os.environ), to_run=to_run)
    if loaded.errors:
        raise InvalidUnits(loaded.problems)
    if loaded.warnings:
        from ..show.problem import render_text

        write_err(render_text(loaded.warnings))
    return loaded


def read_units(directories: list[Path], *, to_run: bool = True) -> Loaded:
    """The unit files of these directories and all that is wrong with them. Secrets are hidden in all that is written."""
    loaded = load(directories, os.environ, to_run=to_run)
    hide(loaded.secrets.mask_text)
    return loaded


def check_names(graph: Graph, names: Iterable[str]) -> list[str]:
    """The names as they are, if all are units or groups with members; else UsageError."""
    checked = list(names)
    for name in checked:
        if not graph.select([name]):
            raise UsageError(f'cannot find unit or group "{name}"', hint=_hint(name, graph))
    return checked


def hint_of_directory(word: str) -> str:
    """What to write instead of a word that is no unit but a directory; the empty string where it is none."""
    return f'to read the unit files of a directory: "--units {word}"' if word and Path(word).is_dir() else ""


def _hint(name: str, graph: Graph) -> str:
    return hint_of_directory(name) or hint_for(name, graph.units, 'see "runner graph" for all units')


def _parse_duration(text: str) -> float:
    from ..unitfile.values import Duration, Unusable

    try:
        return float(Duration.parse(text))
    except Unusable:
        raise argparse.ArgumentTypeError(f'cannot use "{text}": it takes a duration such as 30s, 5m or 1h30m') from None


def _parse_count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f'cannot use "{text}": it takes a whole number from 1')
