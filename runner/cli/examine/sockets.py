"""The two sockets: the supervisor's, whether somebody serves there or could, and the agent's."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import DecodeError
from msgspec.json import decode

from ... import __version__
from ...core.stream import SnapshotTaken
from ...core.words import say_duration
from ...rpc.client import Client
from ...rpc.failure import CallError, CallTimedOut, CannotConnect, ErrorAnswered
from ...rpc.methods import PING, SNAPSHOT, SYNC_LIST
from ...show.doctor import Finding
from ...supervisor.endpoint import check_directory, explain_silence, find_owner, say_unreachable
from ...supervisor.relay import agent_socket_path

LONGEST_PATH = 107
"""Bytes of a socket's address, after unix(7)."""
_ELSEWHERE = 'serve another with "--socket PATH"'


def examine_socket(path: str, timeout: float) -> Finding:
    """Who serves the supervisor's socket or, where nobody does, whether a supervisor could. Raises SocketError."""
    if (length := len(os.fsencode(path))) > LONGEST_PATH:
        what = f"the path has {length} bytes, and no socket can have more than {LONGEST_PATH}: {path}"
        return Finding("problem", what, 'name a shorter one with "--socket PATH"')
    try:
        with Client(path, timeout=timeout) as client:
            return _judge_supervisor(path, client.call(SNAPSHOT.path, b"{}", timeout=timeout))
    except CannotConnect as error:
        return _judge_place(Path(path), error)
    except CallTimedOut:
        what = f"{path}: whoever serves it does not answer within {say_duration(timeout)}"
        otherwise = f'a supervisor\'s pid is in "{path}.lock": see what it does, or {_ELSEWHERE}'
        return Finding("problem", what, explain_silence(path) or otherwise)
    except CallError:
        return Finding("problem", f"{path}: another program serves it", _ELSEWHERE)


def _judge_supervisor(path: str, answer: bytes) -> Finding:
    try:
        run = decode(answer, type=SnapshotTaken).snapshot.run
    except DecodeError:
        run = None
    if run is None:
        return Finding("note", f"{path}: a supervisor of another version serves it", "stop it and start it anew")
    said = f"{path}: a supervisor serves it, pid {run.pid}, run {run.run}, version {run.version}"
    if run.version != __version__:
        return Finding("note", said, f"this is version {__version__}: stop it and start it anew")
    return Finding("ok", said)


def _judge_place(path: Path, error: CannotConnect) -> Finding:
    """Whether a supervisor could serve a socket that nobody serves."""
    if pid := find_owner(str(path)):
        return Finding("problem", f"{path}: {error.why}", say_unreachable(pid))
    directory = path.parent
    if not directory.exists():
        above = next(place for place in directory.parents if place.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            return Finding("problem", f"{path}: its directory cannot be made in {above}", _ELSEWHERE)
        return Finding("ok", f"{path}: nobody serves it; its directory is made when a supervisor starts")
    check_directory(str(directory))
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return Finding("ok", f"{path}: nobody serves it")
    if not stat.S_ISSOCK(mode):
        return Finding("problem", f"{path}: something that is no socket is there, or a link", f"take it away, or {_ELSEWHERE}")
    if not os.access(path, os.W_OK):
        return Finding("problem", f"{path}: {error.why}", _ELSEWHERE)
    what = f"{path}: nobody serves it, though a socket is there: its supervisor was killed"
    return Finding("note", what, "nothing is to be done: the next one takes its place")


def examine_agent(environment: Mapping[str, str], own: str, timeout: float) -> Finding:
    """Whether the workspace's agent serves its socket, and which calls it knows."""
    path = agent_socket_path(environment, own)
    try:
        with Client(path, timeout=timeout) as client:
            begun = time.perf_counter()
            client.call(PING.path, timeout=timeout)
            took = time.perf_counter() - begun
            version = _tell_version(client, timeout)
    except CannotConnect as error:
        return _judge_absence(path, error, is_named=path == environment.get("CODER_AGENT_SOCKET_PATH"))
    except CallTimedOut:
        what = f"{path}: whoever serves it does not answer within {say_duration(timeout)}"
        return Finding("problem", what, "scripts that call it will wait too; start the workspace's agent anew")
    except CallError as error:
        return Finding("problem", f"{path}: {error}", "another program may serve it: see CODER_AGENT_SOCKET_PATH")
    return Finding("ok", f"{path}: the agent answers in {say_duration(took)}, {version} of its service")


def _tell_version(client: Client, timeout: float) -> str:
    """What can be told of the service's version, whose methods came one by one."""
    since = ".".join(map(str, SYNC_LIST.since))
    try:
        client.call(SYNC_LIST.path, timeout=timeout)
    except ErrorAnswered:
        return f"a version before {since}"
    return f"version {since} or later"


def _judge_absence(path: str, error: CannotConnect, *, is_named: bool) -> Finding:
    if os.path.lexists(path):
        hint = "its agent may be gone: start the workspace's agent anew"
        return Finding("problem", f"{path}: {error.why}", hint)
    what = f"{path}, which CODER_AGENT_SOCKET_PATH names," if is_named else path
    enable = "the agent serves it where CODER_AGENT_SOCKET_SERVER_ENABLED=true is in its environment"
    return Finding("note", f'{what} is not there; only "runner up --bridge" needs it', enable)
