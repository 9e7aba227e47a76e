"""Processes that a benchmark starts: their CPU, their memory, and their end."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

STOP_SECONDS = 20.0


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process that we started: politely, then for sure."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def log_end(file: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    return "\n".join(file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class Usage:
    """CPU and memory of a process and what it started, without some processes' families (such as PostgreSQL's)."""

    def __init__(self, pid: int, *, without: Sequence[int] = ()) -> None:
        self.pid = pid
        self._root = psutil.Process(pid)
        self._without = without

    def cpu_s(self) -> float:
        """CPU seconds so far, user and system; those of children that have ended count too."""
        return sum(_cpu_s(process) for process in self._family())

    def rss_mib(self) -> float:
        """Resident memory now, MiB; pages that processes share are counted in each."""
        return sum(process.memory_info().rss for process in self._family()) / 2**20

    def _family(self) -> Iterable[psutil.Process]:
        left_out: set[int] = set()
        for pid in self._without:
            if psutil.pid_exists(pid):
                other = psutil.Process(pid)
                left_out |= {other.pid, *(child.pid for child in other.children(recursive=True))}
        family = [self._root, *self._root.children(recursive=True)]
        return [process for process in family if process.pid not in left_out]


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system
