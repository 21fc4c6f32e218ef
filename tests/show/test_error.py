from __future__ import annotations

from runner.errors import InvalidUnits, Place, Problem, RunnerError, UsageError
from runner.show.error import render_error


def test_an_error_says_what_where_and_one_hint() -> None:
    error = RunnerError("cannot write the journal", where="/state", hint="free some space")
    assert render_error(error) == "runner: cannot write the journal\n  in /state\nhint: free some space\n"


def test_an_error_without_place_and_hint_is_one_line() -> None:
    assert render_error(UsageError('cannot find unit "\x1b[31m"')) == 'runner: cannot find unit "\\x1b[31m"\n'


def test_invalid_units_tell_all_of_their_problems() -> None:
    problems = [Problem('cannot use key "aftr"', Place("a.toml", 1, 1, "aftr = []")), Problem("cannot read b", Place("b.toml"))]
    text = render_error(InvalidUnits(problems))
    assert all(problem.what in text for problem in problems)
    assert text.endswith("\n\nrunner: cannot use the unit files: 2 problems\n")
