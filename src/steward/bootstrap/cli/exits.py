"""The exit codes of the command line; they are documented and do not change."""

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    """The platform reported a failure, a check found something wrong, or the platform could not be started."""
    USAGE = 2
    """The command was called wrongly, or a setting cannot be used."""
    ALREADY_RUNNING = 3
    """Another platform holds the home."""
    NOT_ALLOWED = 4
    """Not logged in, or not permitted."""
    UNREACHABLE = 5
    """No platform answers at the address."""
    INTERRUPTED = 130
    """Ended by Ctrl-C."""
