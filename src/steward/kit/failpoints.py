"""Named places where a test can have the process killed, to see what a crash there leaves behind."""

import os
import signal


class Failpoints:
    """Kills this process (SIGKILL) when it passes the named place; with no name it does nothing."""

    def __init__(self, kill_at: str = "") -> None:
        self._kill_at = kill_at

    def passing(self, place: str) -> None:
        if self._kill_at and place == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
