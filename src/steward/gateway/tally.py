"""How many connections are open, by what they are counted by."""

from collections import Counter

from steward.gateway.errors import TooManySockets


class Tally:
    """Counts what is open; a name of which nothing is open takes no memory."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def take(self, name: str, kind: str, limit: int) -> None:
        """Count one more. Raises `TooManySockets`, in which `kind` tells what is counted."""
        if self._open[name] >= limit:
            raise TooManySockets(kind, limit)
        self._open[name] += 1

    def give(self, name: str) -> None:
        """Count one less."""
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]
