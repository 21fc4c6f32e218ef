from __future__ import annotations

from runner.errors import RunnerError
from runner.rpc.failure import CallError, CallTimedOut, CannotConnect, ErrorAnswered, NoAnswer


def test_where_nobody_listens_there_is_a_text_for_people_and_one_that_scripts_know() -> None:
    error = CannotConnect("/run/x.sock", "no such file or directory")
    assert str(error) == 'cannot connect to the socket "/run/x.sock": no such file or directory'
    known = error.as_scripts_know_it
    assert known == "connect to agent socket: connect to socket: dial unix /run/x.sock: connect: no such file or directory"
    assert (error.path, error.why, error.exit_status) == ("/run/x.sock", "no such file or directory", 3)


def test_an_error_that_was_answered_is_its_text() -> None:
    error = ErrorAnswered(12, "Unimplemented")
    assert (str(error), error.what, error.code, error.exit_status) == ("Unimplemented", "Unimplemented", 12, 1)


def test_all_are_errors_that_a_user_sees() -> None:
    assert {CannotConnect, ErrorAnswered, NoAnswer, CallTimedOut} == set(CallError.__subclasses__())
    assert issubclass(CallError, RunnerError)
    assert CallTimedOut("").exit_status == 4
