"""The shell for trio."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Unpack

import trio

from .call import Call
from .command import GRACE, HASTE, Options, up_command
from .failure import explain_connect, explaining_spawn
from .supervisor import Supervisor

_READ_SIZE = 65_536


@asynccontextmanager
async def open_supervisor(*names: str, grace: float = GRACE, **options: Unpack[Options]) -> AsyncIterator[Supervisor]:
    """Start a supervisor for these units or groups, by default for all, and have it until the block is left.

    Then it stops its units in order, for which it has so many seconds of grace; after that they are killed. What the block
    raises is raised as it is. Raises CannotStart, AlreadyRuns or SupervisorDied where no run begins.
    """
    raised: BaseException | None = None
    supervisor = Supervisor(trio.Event, _converse)
    with TemporaryFile() as errors:
        command = up_command(names, options)
        with explaining_spawn(command[0]):
            process = await trio.lowlevel.open_process(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # what a terminal sends to the agent is the agent's to pass on
            )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, process, errors, supervisor)
            try:
                await supervisor.begin()
                yield supervisor
            except BaseException as error:  # noqa: BLE001 (raised below, outside of the nursery, which would wrap it)
                raised = error
            nursery.cancel_scope.shield = True
            await _end(process, grace)
    if raised is not None:
        raise raised


async def _listen(process: trio.Process, errors: IO[bytes], supervisor: Supervisor) -> None:
    """Hear it to its end, also when whoever has it is cancelled: it has to stop in order then."""
    assert process.stdout
    with trio.CancelScope(shield=True):
        async with process.stdout:
            async for data in process.stdout:
                supervisor.hear(bytes(data))
        status = await process.wait()
    errors.seek(0)
    supervisor.end(status, errors.read().decode(errors="replace"))


async def _end(process: trio.Process, grace: float) -> None:
    """Stop it in order, then by its second signal, then by force."""
    for patience in (grace, HASTE):
        process.terminate()
        with trio.move_on_after(patience):
            await process.wait()
            return
    process.kill()
    await process.wait()


async def _converse(path: str, call: Call) -> bytes:
    try:
        stream = await trio.open_unix_socket(path)
    except OSError as error:
        raise explain_connect(path, error) from None
    async with stream:
        with suppress(trio.BrokenResourceError):  # whoever goes says so by its end, which is read below
            await stream.send_all(call.said)
        while (answer := call.receive(await _read(stream))) is None:
            pass
        return answer


async def _read(stream: trio.SocketStream) -> bytes:
    """What has come; nothing where the other side is gone, in whichever way."""
    try:
        return bytes(await stream.receive_some(_READ_SIZE))
    except trio.BrokenResourceError:
        return b""
