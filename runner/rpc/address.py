"""Where a supervisor's socket is, as both of its ends have to know."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def runtime_directory(environment: Mapping[str, str]) -> str:
    """The directory for sockets of this user, whether it is there or not."""
    base = environment.get("XDG_RUNTIME_DIR")
    return f"{base}/runner" if base else f"/tmp/runner-{os.getuid()}"  # noqa: S108


def socket_path(environment: Mapping[str, str]) -> str:
    """The socket that ``RUNNER_SOCKET`` names, else the usual one."""
    return environment.get("RUNNER_SOCKET") or f"{runtime_directory(environment)}/runner.sock"
