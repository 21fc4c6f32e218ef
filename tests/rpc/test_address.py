from __future__ import annotations

import os

import pytest

from runner.rpc.address import runtime_directory, socket_path

OWN = f"/tmp/runner-{os.getuid()}"


@pytest.mark.parametrize(
    ("environment", "directory", "path"),
    [
        ({}, OWN, f"{OWN}/runner.sock"),
        ({"XDG_RUNTIME_DIR": "", "RUNNER_SOCKET": ""}, OWN, f"{OWN}/runner.sock"),
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/runner", "/run/user/7/runner/runner.sock"),
        ({"XDG_RUNTIME_DIR": "/run/user/7", "RUNNER_SOCKET": "/s"}, "/run/user/7/runner", "/s"),
        ({"CODER_AGENT_SOCKET_PATH": "/agent.sock"}, OWN, f"{OWN}/runner.sock"),
    ],
)
def test_where_the_socket_is(environment: dict[str, str], directory: str, path: str) -> None:
    assert runtime_directory(environment) == directory
    assert socket_path(environment) == path
