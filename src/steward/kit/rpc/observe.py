"""What telemetry, logging and the database hook into each call; by default nothing."""

from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Protocol

from steward.kit.context import Ctx


class Side(StrEnum):
    CLIENT = "client"
    SERVER = "server"


class RpcObserver(Protocol):
    """Sees every call at both ends."""

    def rpc_span(self, service: str, method: str, ctx: Ctx, side: Side) -> AbstractContextManager[Ctx]:
        """Surrounds one call; a failure passes through it. Gives the context to go on with, its trace set."""
        ...


class NoObserver:
    """Sees nothing."""

    def rpc_span(self, service: str, method: str, ctx: Ctx, side: Side) -> AbstractContextManager[Ctx]:  # noqa: ARG002 the Protocol names them
        return nullcontext(ctx)


class ErrorLog(Protocol):
    """Takes what went wrong unexpectedly; structlog's loggers fit."""

    def error(self, event: str, **fields: object) -> object:
        """Write one line; `exc_info` holds the exception."""
        ...


def no_guard() -> None:
    """Allows every remote call."""
