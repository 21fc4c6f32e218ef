"""Serves what the other commands ask of a supervisor: the run as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.json import encode

from ..core.stream import SnapshotTaken
from ..rpc.methods import SNAPSHOT

if TYPE_CHECKING:
    from .callers import Call
    from .supervisor import Supervisor


class ControlService:
    """The methods of ``/runner.v1.Control``. Bodies are JSON."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._methods: dict[str, Callable[[Call], None]] = {SNAPSHOT.path: lambda call: call.answer(self.snapshot())}

    def serves(self, rpc: str) -> bool:
        """Whether this service has a method of this path."""
        return rpc in self._methods

    def serve(self, call: Call, _: bytes) -> None:
        """Take a request; the answer comes now or later."""
        self._methods[call.rpc](call)

    def snapshot(self) -> bytes:
        """The run as it is, with all that a reader must know to go on from there."""
        supervisor = self._supervisor
        return encode(
            SnapshotTaken(at=supervisor.now(), begun_at=supervisor.begun_at, seq=supervisor.seq, snapshot=supervisor.snapshot)
        )
