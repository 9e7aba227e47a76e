"""Named places where a test can have the process killed, to see what a crash there leaves behind."""

import os
import signal
from pathlib import Path


class Failpoints:
    """Kills this process (SIGKILL) when it passes the named place; with no name it does nothing.

    `@FILE` stands for the place that the file names at that moment; a file that is not there names none.
    """

    def __init__(self, kill_at: str = "") -> None:
        self._kill_at = kill_at
        self._file = Path(kill_at[1:]) if kill_at.startswith("@") else None

    def passing(self, place: str) -> None:
        if self._kill_at and place == self._named():
            os.kill(os.getpid(), signal.SIGKILL)

    def _named(self) -> str:
        if self._file is None:
            return self._kill_at
        try:
            return self._file.read_text().strip()
        except FileNotFoundError:
            return ""
