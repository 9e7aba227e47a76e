"""Failures of outgoing HTTP calls. None of them tells the addresses behind a name: that would map the inside."""

import math

from steward.kit.errors import AppError, InvalidInput, Kind, Unavailable


class AddressRefused(AppError):
    """The URL may not be called: its scheme, port or user part is refused, or its host is not on the public network."""

    code = "address_refused"
    kind = Kind.UNPROCESSABLE

    def __init__(self, host: str, problem: str) -> None:
        super().__init__(
            f"{host} may not be called: {problem}; use a public https address, "
            f"or have the installation's operator allow the host by name",
            host=host,
        )


class RequestRefused(InvalidInput):
    """The request itself may not be sent: its method or one of its headers is not the caller's to choose."""

    code = "request_refused"


class RedirectRefused(AppError):
    """The upstream redirects too often or to nowhere."""

    code = "redirect_refused"
    kind = Kind.BAD_GATEWAY

    def __init__(self, host: str, problem: str) -> None:
        super().__init__(f"{host} {problem}: call the final address instead", host=host)


class UpstreamTimeout(AppError):
    """The upstream took too long."""

    code = "upstream_timeout"
    kind = Kind.TIMEOUT

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(f"{host} did not answer within {seconds:.3g} s; try again later", host=host)


class UpstreamUnavailable(AppError):
    """The upstream cannot be reached, hung up, or does not speak HTTP."""

    code = "upstream_unavailable"
    kind = Kind.BAD_GATEWAY

    def __init__(self, host: str, problem: str) -> None:
        super().__init__(f"{host} cannot be used: {problem}; check the address and try again later", host=host)


class ResponseTooLarge(AppError):
    """The upstream's answer is over a limit; what was read of it is thrown away."""

    code = "response_too_large"
    kind = Kind.BAD_GATEWAY

    def __init__(self, host: str, part: str, limit: int) -> None:
        super().__init__(
            f"the {part} that {host} answered with is over the limit of {limit} bytes; ask for less",
            host=host,
            limit=limit,
        )


class CircuitOpen(Unavailable):
    """The upstream failed so often in a row that it is left alone for a while."""

    code = "circuit_open"

    def __init__(self, name: str, retry_after_s: float) -> None:
        seconds = max(1, math.ceil(retry_after_s))
        super().__init__(
            f"{name} failed repeatedly and is left alone for now; try again in {seconds} s",
            upstream=name,
            retry_after=seconds,
        )
