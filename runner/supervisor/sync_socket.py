"""The sync socket of a supervisor, put together: the place, the connections, the service, the scripts, the way to the agent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.effect import Answer, WatchScript
from ..core.event import Decided, UnitEnded
from ..rpc.methods import LONGEST_NAME, NOT_CONNECTED, UPDATE_APP_STATUS, say_unknown
from ..rpc.quote import quote
from .callers import Call, CallerServer
from .commands import CommandService
from .control import ControlService
from .endpoint import Endpoint
from .relay import AgentSocket, Relay
from .scripts import Scripts
from .sync_service import SyncService

if TYPE_CHECKING:
    from socket import socket

    from .bridge import Bridge
    from .supervisor import Supervisor
    from .unit_files import UnitFiles

_PATIENCE = 1.0
"""Seconds that slow readers have to take the last of what was said to them."""


class SyncSocket:
    """Serves an endpoint for a supervisor until it is closed."""

    def __init__(self, supervisor: Supervisor, endpoint: Endpoint, files: UnitFiles, *, has_bridge: bool = False) -> None:
        self._supervisor = supervisor
        self._agent = AgentSocket(supervisor.environment, endpoint.path)
        self._service = SyncService(supervisor, files.source)
        self._control = ControlService(supervisor)
        self._services = (self._service, self._control, CommandService(supervisor, files))
        self._scripts = Scripts(supervisor)
        supervisor.deeds[Answer] = self._service.answer
        supervisor.deeds[WatchScript] = self._scripts.watch
        supervisor.listeners.append(self._forget_ended)
        self._bridge = self._make_bridge() if has_bridge else None
        self._servers = [self._make_server(endpoint.listener)]
        supervisor.annex.serve(lambda uid, listener: self._servers.append(self._make_server(listener, uid)))

    def _make_server(self, listener: socket, uid: int | None = None) -> CallerServer:
        """Serve a listening socket. Each has connections of its own, so that no user takes all that others could have."""
        supervisor = self._supervisor
        return CallerServer(
            supervisor.poller,
            listener,
            begin=self._begin,
            serve=self._serve,
            identify=self._scripts.identify,
            later=lambda seconds, call: supervisor.call_at(supervisor.now() + seconds, call),
            mask=supervisor.secrets.mask_text,
            uid=uid,
        )

    def _make_bridge(self) -> Bridge:
        from .bridge import Bridge

        return Bridge(self._supervisor, self._agent)

    def _begin(self, call: Call) -> None:
        """A call that is not ours goes to the agent, where there is one; but nobody gets there who could not by themselves."""
        uid = call.connection.peer.uid
        if uid not in (0, os.getuid()) and not self._service.serves(call.rpc):
            rpc = quote(call.rpc[:LONGEST_NAME])
            call.refuse(f"cannot serve {rpc} to user {uid}: only root and the user of the supervisor may call it")
            return
        if any(service.serves(call.rpc) for service in self._services):
            return
        try:
            agent = self._agent.connect()
        except OSError:
            call.refuse(NOT_CONNECTED if call.rpc == UPDATE_APP_STATUS.path else say_unknown(call.rpc))
        else:
            Relay(self._supervisor.poller, agent, call)

    def _serve(self, call: Call, request: bytes) -> None:
        next(service for service in self._services if service.serves(call.rpc)).serve(call, request)

    def _forget_ended(self, events: Sequence[Decided], _: bytes) -> None:
        for event in events:
            if isinstance(event, UnitEnded):
                self._scripts.forget(event.unit)

    def close(self) -> None:
        """Hang up on everybody. The endpoint is its owner's to close."""
        self._control.close()
        for server in self._servers:
            server.close(_PATIENCE)
        self._scripts.close()
        if self._bridge:
            self._bridge.close()
