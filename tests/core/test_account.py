from __future__ import annotations

import pytest

from runner.core.account import OF_A_PERSON, OF_A_SESSION, Account, environment_of, without_person

ANN = Account(name="ann", uid=1000, gid=1000, home="/home/ann", shell="/bin/zsh")
INHERITED = {"HOME": "/root", "USER": "root", "PATH": "/bin", "XDG_RUNTIME_DIR": "/run/user/0", "TOKEN": "x"}


def test_what_is_of_a_person_is_that_of_the_unit_s_user() -> None:
    own = {"HOME": "/home/ann", "USER": "ann", "LOGNAME": "ann", "SHELL": "/bin/zsh"}
    assert environment_of(ANN, INHERITED, is_own=False) == {"PATH": "/bin", "TOKEN": "x", **own}
    assert environment_of(ANN, INHERITED, is_own=True) == {**INHERITED, **own}


def test_nothing_of_a_person_is_known_of_who_is_not_there() -> None:
    assert without_person(INHERITED) == {"PATH": "/bin", "TOKEN": "x"}
    assert without_person(dict.fromkeys((*OF_A_PERSON, *OF_A_SESSION), "x")) == {}


@pytest.mark.parametrize(
    ("shell", "said"),
    [("", "/bin/sh"), ("/usr/sbin/nologin", "/bin/sh"), ("/bin/false", "/bin/sh"), ("/bin/bash", "/bin/bash")],
)
def test_who_cannot_log_in_has_a_shell_all_the_same(shell: str, said: str) -> None:
    """Programs that want to execute a command ask for it."""
    account = Account(name="x", uid=1, shell=shell)
    assert environment_of(account, {}, is_own=False)["SHELL"] == said
