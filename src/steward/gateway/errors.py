"""What the edge refuses, one class per reason."""

from steward.kit.errors import AppError, Forbidden, InvalidInput, Kind, MalformedRequest, NotFound, Unauthenticated


class UrlTooLong(AppError):
    code = "url_too_long"
    kind = Kind.HEADERS_TOO_LARGE

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"path and query have {size} bytes: send at most {limit}", limit=limit)


class HeadersTooLarge(AppError):
    code = "headers_too_large"
    kind = Kind.HEADERS_TOO_LARGE

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(f"the request has {size} {what}: send at most {limit}", limit=limit)


class BodyTooLarge(AppError):
    code = "body_too_large"
    kind = Kind.TOO_LARGE

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes: send less at a time", limit=limit)


class BodyTooSlow(AppError):
    code = "body_too_slow"
    kind = Kind.REQUEST_TIMEOUT

    def __init__(self, limit: float) -> None:
        super().__init__(f"the body did not arrive within {limit:g} s: send it faster, or less of it", limit=limit)


class UnsupportedMediaType(AppError):
    code = "unsupported_media_type"
    kind = Kind.UNSUPPORTED

    def __init__(self, given: str, wanted: str = "application/json") -> None:
        said = f"content type {given[:80]!r} is not read here" if given else "the body has no content type"
        what = "JSON" if wanted == "application/json" else "it"
        super().__init__(f"{said}: send {what} as `Content-Type: {wanted}`")


class UnsupportedCharset(AppError):
    code = "unsupported_charset"
    kind = Kind.UNSUPPORTED

    def __init__(self, given: str) -> None:
        super().__init__(f"charset {given[:40]!r} is not read here: send UTF-8")


class TooDeep(InvalidInput):
    code = "json_too_deep"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the JSON body is nested deeper than {limit} levels: flatten it", limit=limit)


class TwoCredentials(MalformedRequest):
    code = "two_credentials"

    def __init__(self) -> None:
        super().__init__("Authorization and X-API-Key carry different credentials: send one of them")


class CredentialMissing(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("this needs a credential: send `Authorization: Bearer <token>` or `X-API-Key: <key>`")


class TenantSuspended(Forbidden):
    code = "tenant_suspended"

    def __init__(self) -> None:
        super().__init__("this tenant is suspended: ask the operator of the platform")


class OriginNotAllowed(Forbidden):
    code = "origin_not_allowed"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"pages of {origin[:255]!r} may not call this: add the origin to the tenant's `allowed_origins`",
            origin=origin[:255],
        )


class RateLimited(AppError):
    code = "rate_limited"
    kind = Kind.RATE_LIMITED

    def __init__(self, policy: str, limit: int, retry_after: int) -> None:
        super().__init__(
            f"more than {limit} requests a minute for this {policy}: try again in {retry_after} s",
            policy=policy,
            limit=limit,
            retry_after=retry_after,
        )


class Overloaded(AppError):
    code = "overloaded"
    kind = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("too many requests are being worked on: try again in 1 s", retry_after=1)


class TooManySockets(AppError):
    code = "too_many_sockets"
    kind = Kind.RATE_LIMITED

    def __init__(self, of: str, limit: int) -> None:
        super().__init__(
            f"this {of} has {limit} WebSockets open: close some of them, or send several messages over one",
            limit=limit,
            retry_after=1,
        )


class Draining(AppError):
    code = "draining"
    kind = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("this server is shutting down: try again in 1 s", retry_after=1)


class RequestTimedOut(AppError):
    code = "request_timed_out"
    kind = Kind.TIMEOUT

    def __init__(self, limit: float) -> None:
        super().__init__(f"the request was not done within {limit:g} s: try again, or ask for less", limit=limit)


class RouteNotFound(NotFound):
    code = "route_not_found"

    def __init__(self, path: str) -> None:
        super().__init__(f"there is nothing at {path[:200]!r}: /docs lists what there is")


class MethodNotAllowed(AppError):
    code = "method_not_allowed"
    kind = Kind.METHOD_NOT_ALLOWED

    def __init__(self, method: str, allow: str) -> None:
        super().__init__(f"{method[:20]} does not work here: use one of {allow}", allow=allow)


class Defect(AppError):
    """An error that nobody foresaw; `error_id` finds it in the log."""

    code = "internal"
    kind = Kind.INTERNAL

    def __init__(self, error_id: str) -> None:
        super().__init__(f"something broke here that is not your fault: report error {error_id}", error_id=error_id)
