"""Failures of calls to models, and of what they go by."""

from typing import ClassVar

from steward.kit.errors import AppError, Conflict, Forbidden, Kind, NotFound, TooLarge, Value


class InvalidParameter(AppError):
    """A parameter of a request to a model that cannot be: the message names it and says what may be."""

    code = "invalid_parameter"
    kind = Kind.INVALID

    def __init__(self, param: str, message: str) -> None:
        super().__init__(f"{param}: {message}", param=param)


class UnsupportedParameter(AppError):
    """A parameter that no provider here can be told."""

    code = "unsupported_parameter"
    kind = Kind.INVALID

    def __init__(self, param: str, remedy: str) -> None:
        super().__init__(f"{param} is not supported here: {remedy}", param=param)


class CannotExpress(AppError):
    """A request has something that the candidate's dialect has no words for."""

    code = "cannot_express"
    kind = Kind.INVALID

    def __init__(self, param: str, dialect: str) -> None:
        super().__init__(
            f"{param} has no words in dialect {dialect!r}: leave it out, or ask for a model that knows it",
            param=param,
            dialect=dialect,
        )


class ModelNotFound(NotFound):
    code = "model_not_found"

    def __init__(self, model: str) -> None:
        super().__init__(
            f"there is no model {model[:100]!r}: ask for an alias, or for connection/model; GET /v1/models lists them",
            param="model",
            model=model[:100],
        )


class ModelNotAllowed(Forbidden):
    code = "model_not_allowed"

    def __init__(self, model: str) -> None:
        super().__init__(f"model {model[:100]!r} is not on the tenant's list of allowed models", model=model[:100])


class ContextTooLong(AppError):
    code = "context_length_exceeded"
    kind = Kind.INVALID

    def __init__(self, message: str) -> None:
        super().__init__(message, param="messages")


class ProviderRefused(AppError):
    """The provider found the request at fault; its words are in the message."""

    code = "provider_refused"
    kind = Kind.INVALID

    def __init__(self, message: str, *, param: str = "", provider_code: str = "") -> None:
        data: dict[str, Value] = {"param": param or None, "provider_code": provider_code or None}
        super().__init__(message, **data)


class ProvidersUnavailable(AppError):
    """No candidate could answer in time."""

    code = "providers_unavailable"
    kind = Kind.UNAVAILABLE

    def __init__(self, model: str, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"no provider of {model[:100]!r} answers now: {reason}", retry_after=retry_after)


class ProvidersBusy(AppError):
    """Every candidate is at a rate limit; the first is free again after `retry_after` seconds."""

    code = "providers_busy"
    kind = Kind.RATE_LIMITED

    def __init__(self, model: str, retry_after: float) -> None:
        super().__init__(f"every provider of {model[:100]!r} is at its rate limit", retry_after=retry_after)


class ProviderTimedOut(AppError):
    code = "provider_timed_out"
    kind = Kind.TIMEOUT

    def __init__(self, model: str, seconds: float) -> None:
        super().__init__(f"no provider of {model[:100]!r} answered within {seconds:g} s")


class ConnectionNotFound(NotFound):
    code = "connection_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no connection {name!r}: GET /api/v1/models/connections lists them")


class ConnectionInUse(Conflict):
    code = "connection_in_use"

    def __init__(self, name: str, alias: str) -> None:
        super().__init__(f"connection {name!r} is in use by alias {alias!r}: change that first", alias=alias)


class ConnectionRefused(AppError):
    """A connection that cannot be as it was given."""

    code = "connection_refused"
    kind = Kind.UNPROCESSABLE

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", field=field)


class AliasNotFound(NotFound):
    code = "alias_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no alias {name!r}: GET /api/v1/models/aliases lists them")


class FileNotFound(NotFound):
    code = "file_not_found"

    def __init__(self, file_id: str) -> None:
        super().__init__(f"there is no file {file_id!r}", param="file_id")


class FileRefused(AppError):
    code = "file_refused"
    kind = Kind.INVALID

    def __init__(self, message: str) -> None:
        super().__init__(message, param="file")


class FileTooLarge(TooLarge):
    code = "file_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the file has more than {limit} bytes: send its requests in several files", limit=limit)


class FileInUse(Conflict):
    code = "file_in_use"

    def __init__(self, file_id: str) -> None:
        super().__init__(f"file {file_id!r} is in use by a batch: cancel that, or wait for its end", param="file_id")


class BatchNotFound(NotFound):
    code: ClassVar[str] = "batch_not_found"

    def __init__(self, batch_id: str) -> None:
        super().__init__(f"there is no batch {batch_id!r}", param="batch_id")
