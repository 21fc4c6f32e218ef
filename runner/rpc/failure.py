"""Why a call over the socket came to no answer.

A module of its own, which the client imports only when something failed: the tree of errors takes longer to import than a
call takes.
"""

from __future__ import annotations

from ..errors import RunnerError


class CallError(RunnerError):
    """A call came to no answer. The root of this folder's errors that a user sees."""


class CannotConnect(CallError):
    """Nobody takes the connection: no supervisor runs, or this user may not speak to it.

    ``path`` and ``why`` are the parts of the text, for other texts; ``as_scripts_know_it`` is the one that scripts know from
    the agent's own client.
    """

    exit_status = 3

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f'cannot connect to the socket "{path}": {why}')
        self.path = path
        self.why = why
        self.as_scripts_know_it = f"connect to agent socket: connect to socket: dial unix {path}: connect: {why}"


class ErrorAnswered(CallError):
    """The other side answered with an error, whose text is this one's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class NoAnswer(CallError):
    """The connection or the call ended without an answer. What was asked may have been done all the same."""


class CallTimedOut(CallError):
    """The time that the caller gave was over before the answer came. The connection is closed, so the call is cancelled."""

    exit_status = 4
