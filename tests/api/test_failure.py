from __future__ import annotations

import pytest

from runner.api.failure import AlreadyRuns, CannotStart, SupervisorDied, explain_connect, explain_start, explaining_spawn


@pytest.mark.parametrize(("status", "kind"), [(2, CannotStart), (3, AlreadyRuns), (1, SupervisorDied), (-9, SupervisorDied)])
def test_an_exit_status_has_its_error(status: int, kind: type[CannotStart | SupervisorDied]) -> None:
    error = explain_start(status, "why")
    assert type(error) is kind
    assert error.told == "why"
    assert str(error).endswith(": why")


def test_a_death_without_a_word() -> None:
    assert str(SupervisorDied(-9, "")) == "cannot go on: the supervisor is gone, exit status -9"


def test_a_refused_connection_is_told_as_by_other_clients() -> None:
    error = explain_connect("/s", FileNotFoundError(2, "No such file or directory"))
    assert str(error) == 'cannot connect to the socket "/s": no such file or directory'


def test_a_program_that_cannot_be_executed_is_told_with_its_path() -> None:
    with pytest.raises(CannotStart) as error, explaining_spawn("/no/python"):
        raise FileNotFoundError(2, "No such file or directory")
    assert str(error.value) == 'cannot start a supervisor: "/no/python" cannot be executed: no such file or directory'
