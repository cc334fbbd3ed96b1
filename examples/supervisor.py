"""Runs a few programs together: they start side by side, and all end when one does or a person says so."""

import asyncio
import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_WITHIN = 90.0  # seconds; both are there within two, this is for a machine under load
KILL_AFTER = 10.0  # seconds a program may take to finish what it is answering
GLANCE = 0.05  # seconds between two looks at a program that is starting


class NotRunning(Exception):
    """Something did not start, or ended by itself; the text says what, and what to do."""


class AskedToStop(Exception):
    """A person pressed Ctrl-C, or the system said to stop."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program to run, and the address that answers 200 once it is ready."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: str
    heard: bool = True
    """Whether what it says on its standard output is for people; its errors always are."""


class Supervisor:
    """Starts programs, waits, and ends them. Use it as an asynchronous context; leaving it ends whatever still runs."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[int], tuple[Program, asyncio.subprocess.Process]] = {}
        self._asked = asyncio.Event()

    async def __aenter__(self) -> "Supervisor":
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._asked.set)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(_end(process) for _, process in self._running.values()))
        await asyncio.gather(*self._running)

    async def start(self, *programs: Program) -> None:
        """Start programs side by side and wait until all are ready; NotRunning when one ends instead."""
        for program in programs:
            await self._spawn(program)
        answers = asyncio.create_task(_all_answer(programs))
        try:
            await self._first(answers)
        finally:
            answers.cancel()

    async def _spawn(self, program: Program) -> None:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            env=dict(program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=None if program.heard else asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal reaches us alone: we end each in turn, and quietly
        )
        self._running[asyncio.create_task(process.wait())] = (program, process)

    async def wait(self) -> None:
        """Wait for ever: AskedToStop when a signal comes, NotRunning when a program ends by itself."""
        await self._first(asyncio.get_running_loop().create_future())

    async def _first(self, wanted: asyncio.Future[None]) -> None:
        asked = asyncio.create_task(self._asked.wait())
        awaited: set[asyncio.Future[Any]] = {wanted, asked, *self._running}
        done, _ = await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if asked in done:
            raise AskedToStop
        for ended, (program, process) in self._running.items():
            if ended in done:
                raise NotRunning(f"{program.name} has ended by itself (exit code {process.returncode}); see above.")
        wanted.result()


async def _all_answer(programs: Sequence[Program]) -> None:
    """Return once every program's address answers 200; NotRunning when one takes too long."""
    import httpx2  # here, so that it is loaded while the programs start

    async with httpx2.AsyncClient(trust_env=False) as client:

        async def answers(program: Program) -> bool:
            try:
                return (await client.get(program.ready)).status_code == httpx2.codes.OK
            except httpx2.TransportError:
                return False

        for program in programs:
            await _until(program, answers)


async def _until(program: Program, answers: Callable[[Program], Awaitable[bool]]) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN):
            while not await answers(program):  # noqa: ASYNC110 (another program's event)
                await asyncio.sleep(GLANCE)
    except TimeoutError:
        raise NotRunning(f"{program.name} was not ready within {READY_WITHIN:.0f} seconds.") from None


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask a program to finish; insist after a while."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(KILL_AFTER):
            await process.wait()
    except TimeoutError:
        process.kill()


def port_is_free(port: int) -> bool:
    """Say whether a server could listen on this port of localhost, whichever of its addresses a browser takes."""
    return all(
        _can_bind(family, host, port) for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
    )


def _can_bind(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error.errno != errno.EADDRINUSE  # a machine without IPv6 has nothing listening there either
    return True
