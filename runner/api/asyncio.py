"""The shell for asyncio."""

from __future__ import annotations

import asyncio
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Unpack

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
    supervisor = Supervisor(asyncio.Event, _converse)
    with TemporaryFile() as errors:
        command = up_command(names, options)
        with explaining_spawn(command[0]):
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # what a terminal sends to the agent is the agent's to pass on
            )
        listener = asyncio.create_task(_listen(process, errors, supervisor))
        try:
            await supervisor.begin()
            yield supervisor
        finally:
            await _see_through(asyncio.gather(_end(process, grace), listener))


async def _see_through(ending: asyncio.Future[tuple[None, None]]) -> None:
    """Wait for the end, however often whoever waits is cancelled meanwhile: units are stopped in order all the same."""
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled


async def _listen(process: Process, errors: IO[bytes], supervisor: Supervisor) -> None:
    assert process.stdout
    while data := await process.stdout.read(_READ_SIZE):
        supervisor.hear(data)
    status = await process.wait()
    errors.seek(0)
    supervisor.end(status, errors.read().decode(errors="replace"))


async def _end(process: Process, grace: float) -> None:
    """Stop it in order, then by its second signal, then by force."""
    for patience in (grace, HASTE):
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience)
            return
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _converse(path: str, call: Call) -> bytes:
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError as error:
        raise explain_connect(path, error) from None
    try:
        writer.write(call.said)
        while (answer := call.receive(await _read(reader))) is None:
            pass
    finally:
        writer.close()
    return answer


async def _read(reader: asyncio.StreamReader) -> bytes:
    """What has come; nothing where the other side is gone, in whichever way."""
    try:
        return await reader.read(_READ_SIZE)
    except ConnectionError:
        return b""
