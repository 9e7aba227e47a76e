"""The processes of a PostgreSQL server: finding them, waiting for their end, ending them."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

from steward.bootstrap.embedded.account import Account
from steward.kit.clock import Clock

_POLL_S = 0.25
_ORPHAN_STOP_S = 1.0
_STATUS_LINE = 7


class PostmasterFile(msgspec.Struct, frozen=True, kw_only=True):
    """What `postmaster.pid` says (layout: src/include/utils/pidfile.h of PostgreSQL 18)."""

    pid: int
    data: Path
    socket_directory: str
    ready: bool


def read_postmaster_file(data: Path) -> PostmasterFile | None:
    """The content of `postmaster.pid`; None where there is none, or one that is only half written."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < _STATUS_LINE - 1 or not lines[0].strip().isdigit():
        return None
    ready = len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"
    return PostmasterFile(pid=int(lines[0]), data=Path(lines[1]), socket_directory=lines[4], ready=ready)


def is_postmaster(pid: int, data: Path, account: Account) -> bool:
    """Whether this process is the server of this data directory, and not one that was given its number later."""
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and process.uids().effective == account.uid
            and len(command) > 1
            and Path(command[0]).name == "postgres"
            and str(data) in command
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        # What may not be looked at is somebody else's.
        return False


async def end_orphans(cluster_name: str, account: Account, clock: Clock) -> int:
    """End the children that outlived their postmaster, which keep a new one from starting; returns how many."""
    orphans = await asyncio.to_thread(_find_orphans, cluster_name, account)
    await asyncio.gather(*(_end_orphan(pid, clock) for pid in orphans))
    return len(orphans)


async def _end_orphan(pid: int, clock: Clock) -> None:
    for number in (signal.SIGQUIT, signal.SIGKILL):  # The first is a backend's own way to leave at once.
        send(pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(_ORPHAN_STOP_S):
                await wait_for_end(pid, clock)
                return


def _find_orphans(cluster_name: str, account: Account) -> list[int]:
    title = f"postgres: {cluster_name}:"
    return [
        process.pid
        for process in psutil.process_iter(["uids", "cmdline"])
        if process.info["uids"]
        and process.info["uids"].effective == account.uid
        and " ".join(process.info["cmdline"] or ()).startswith(title)
    ]


async def wait_for_end(pid: int, clock: Clock) -> None:
    """Return when the process has ended, at once and without polling where the system has pidfd_open(2)."""
    descriptor = _pidfd(pid)
    if descriptor is None:
        while _lives(pid):
            await clock.sleep(_POLL_S)
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended by now."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _pidfd(pid: int) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None  # No such process any more, or a kernel before 5.3: looking at the process list tells which.


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
