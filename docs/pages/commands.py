"""The reference of the commands: what each takes, from the parsers themselves."""

from __future__ import annotations

from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator
from importlib import import_module
from typing import Final

from runner.cli import COMMANDS
from runner.cli.options import Parser

SOURCE: Final = "the commands in runner/cli"

_BY_HAND: Final = {"sync": "See [the sync socket](sync.md)."}
"""Commands that read their arguments themselves."""


def page() -> str:
    """The text."""
    return "\n".join(_text()) + "\n"


def _text() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "`runner COMMAND --help` says the same. Errors go to standard error: what cannot be done, where, and one hint."
    yield "Exit status 0 is success, 1 a failure, 2 wrong usage or invalid unit files, 3 no supervisor or one too many,"
    yield "4 a time limit that passed."
    for name, (module, summary) in COMMANDS.items():
        yield f"\n## runner {name}\n"
        yield f"{summary[0].upper()}{summary[1:]}."
        if name in _BY_HAND:
            yield f"\n{_BY_HAND[name]}"
            continue
        parser = Parser(name, summary)
        import_module(f"runner.cli.{module}").configure(parser)
        yield from _parser_text(parser)


def _parser_text(parser: ArgumentParser) -> Iterator[str]:
    yield f"\n```text\n{parser.format_usage().strip()}\n```\n"
    rows = [action for action in parser._actions if action.help != SUPPRESS and action.dest != "help"]
    nested = [action for action in rows if isinstance(action.choices, dict)]
    if len(rows) > len(nested):
        yield "| argument | meaning |"
        yield "|---|---|"
        yield from (f"| {_name(action)} | {_cell(action.help or '')} |" for action in rows if action not in nested)
    for action in nested:
        assert isinstance(action.choices, dict)
        for name, child in action.choices.items():
            yield f"\n### {parser.prog} {name}\n"
            yield child.description or ""
            yield from _parser_text(child)
    if parser.epilog:
        yield f"\n```text\n{parser.epilog}\n```"


def _name(action: Action) -> str:
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return ", ".join(f"`{option}{value}`" for option in action.option_strings) or f"`{value.strip()}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("%%", "%")
