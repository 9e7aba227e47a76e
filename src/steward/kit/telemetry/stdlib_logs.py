"""What libraries log through `logging` (grpc, granian, asyncio, aiohttp), in the same lines as our own records."""

import logging
from collections.abc import Mapping
from typing import Any

from structlog.typing import FilteringBoundLogger

from steward.kit.telemetry.settings import LogLevel

# Access logs of libraries repeat what the edge tells better, with raw paths.
_SILENCED = ("granian.access", "aiohttp.access")
_CHATTY = ("asyncio", "grpc", "aiohttp", "opentelemetry")


class _Handler(logging.Handler):
    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        extra = {"exc_info": record.exc_info} if record.exc_info else {}
        self._log.log(
            _known_level(record.levelno), "%s", _message(record), event_type=f"library.{record.name}", **extra
        )


class StdlibLogs:
    """Takes over the root logger of `logging` between `install` and `remove`: the only process-wide state of telemetry.

    Libraries' own handlers are untouched; see `granian_logging` for the one that brings some.
    """

    def __init__(self, log: FilteringBoundLogger, level: LogLevel) -> None:
        self._handler = _Handler(log)
        self._level = logging.getLevelNamesMapping()[level.value.upper()]
        self._before: tuple[list[logging.Handler], int] | None = None

    def install(self) -> None:
        if self._before is not None:
            return
        root = logging.getLogger()
        self._before = (root.handlers[:], root.level)
        root.handlers[:] = [self._handler]
        root.setLevel(self._level)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(max(self._level, logging.WARNING))
        for name in _SILENCED:
            logging.getLogger(name).disabled = True
        logging.captureWarnings(True)

    def remove(self) -> None:
        """Give `logging` back as it was found."""
        if self._before is None:
            return
        root = logging.getLogger()
        root.handlers[:], level = self._before
        root.setLevel(level)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.NOTSET)
        for name in _SILENCED:
            logging.getLogger(name).disabled = False
        logging.captureWarnings(False)
        self._before = None


def granian_logging() -> Mapping[str, Any]:
    """The `log_dictconfig` for granian's servers: no handlers of its own, errors go up to ours.

    What it says below that is the life of its worker, and that its embedded server is new.
    """
    quiet: dict[str, Any] = {"handlers": [], "propagate": True, "level": "ERROR"}
    return {"handlers": {}, "loggers": {"_granian": quiet, "granian.access": dict(quiet)}}


def _known_level(level: int) -> int:
    """The named level at or below `level`, for libraries may make up their own."""
    return max(logging.DEBUG, min(level // 10 * 10, logging.CRITICAL))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError) as error:
        return f"{record.msg!s} (its arguments do not fit: {error})"
