"""What becomes of a supervisor that does not do what it was started for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ..core.words import say_os_error
from ..errors import RunnerError
from ..rpc.failure import CannotConnect


class CannotStart(RunnerError):
    """Nothing was started: the unit files are invalid, what the supervisor was told makes no sense, or it cannot be executed.

    ``told`` is what is said about it, for people: of unit files, all of their problems.
    """

    exit_status = 2

    def __init__(self, told: str) -> None:
        super().__init__(f"cannot start a supervisor: {told}")
        self.told = told


class AlreadyRuns(CannotStart):
    """Another supervisor serves the socket. Nothing was started."""

    exit_status = 3


class SupervisorDied(RunnerError):
    """The supervisor went away without ending its run. ``status`` is its exit status, or minus the signal that killed it."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(f"cannot go on: the supervisor is gone, exit status {status}{told and f': {told}'}")
        self.status = status
        self.told = told


class Refused(RunnerError):
    """What was asked of the supervisor cannot be done; nothing was."""


class RunOver(RunnerError):
    """The run ended before what was waited for came about."""


_REFUSALS: Final = {error.exit_status: error for error in (CannotStart, AlreadyRuns)}


def explain_start(status: int, told: str) -> RunnerError:
    """Why a supervisor that ended with this exit status has not even begun."""
    refusal = _REFUSALS.get(status)
    return refusal(told) if refusal else SupervisorDied(status, told)


@contextmanager
def explaining_spawn(program: str) -> Iterator[None]:
    """Raise CannotStart where the system does not execute a program."""
    try:
        yield
    except OSError as error:
        raise CannotStart(f'"{program}" cannot be executed: {say_os_error(error)}') from None


def explain_connect(path: str, error: OSError) -> CannotConnect:
    """Why nobody takes a connection at a path, in the words of the other clients."""
    return CannotConnect(path, say_os_error(error))
