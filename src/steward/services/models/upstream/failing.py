"""What went wrong on the way to a provider, as a `ProviderFailure`; no address, key or body is told.

It is raised `from None`: the errors of HTTP libraries hold the request with its header, and so the key.
"""

import aiohttp

from steward.kit.errors import AppError
from steward.kit.http.errors import AddressRefused
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Endpoint
from steward.services.models.upstream.http1.connecting import NotConnected
from steward.services.models.upstream.http1.head import BadAnswer

_MAY_HAVE_WORKED = frozenset({408, 504, 524})
"""Statuses by which a proxy gives up on a provider that may be at work."""
_REDIRECTS = range(300, 400)


def unreached(name: str, error: Exception) -> ProviderFailure | None:
    """The failure of a connection that never was; None for one that broke."""
    match error:
        case AddressRefused():
            return ProviderFailure(FailureKind.UNREACHABLE, error.message, unbilled=True)
        case ValueError():
            # InvalidURL is one; header fields of the connection with line ends are another.
            problem = "its base URL or one of its header fields is none"
        case NotConnected():
            problem = str(error)
        case aiohttp.ClientConnectorDNSError():
            problem = "its name cannot be resolved"
        case aiohttp.ClientSSLError():
            problem = "its TLS certificate or TLS version is not accepted"
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            problem = "no connection can be made"
        case _:
            return None
    return ProviderFailure(
        FailureKind.UNREACHABLE, f"{name} cannot be reached: {problem}; check its base_url", unbilled=True
    )


def broken(name: str, error: Exception) -> ProviderFailure:
    """The failure of an exchange that had begun: nobody knows what the provider counted."""
    known = unreached(name, error)
    if known is not None:
        return known
    if isinstance(error, aiohttp.ClientResponseError | BadAnswer):
        return ProviderFailure(FailureKind.MALFORMED, f"what {name} answered is not valid HTTP")
    return ProviderFailure(FailureKind.CUT, f"the connection to {name} ended before the answer did")


def hangs_up(name: str) -> ProviderFailure:
    """The failure of a provider that closes every connection before anything was said."""
    message = f"{name} closes every connection at once: check its base_url"
    return ProviderFailure(FailureKind.UNREACHABLE, message, unbilled=True)


def redirected(name: str, status: int) -> ProviderFailure:
    """Redirects are refused: the key was meant for the address that was set."""
    message = f"{name} redirects (status {status}), which is not followed: set base_url to the final address"
    return ProviderFailure(FailureKind.NOT_FOUND, message, status=status, unbilled=True)


def is_redirect(status: int) -> bool:
    """Whether a status asks to go elsewhere."""
    return status in _REDIRECTS


def is_unbilled(status: int) -> bool:
    """Whether an answer of this error status surely cost nothing."""
    return status not in _MAY_HAVE_WORKED


def inexpressible(error: AppError) -> ProviderFailure:
    """What the dialect cannot say: another candidate's may, so the error goes along as the cause."""
    param = str(error.data.get("param") or "")
    return ProviderFailure(FailureKind.REFUSED, error.message, code=error.code, param=param, unbilled=True)


def without_key(failure: ProviderFailure, endpoint: Endpoint) -> ProviderFailure:
    """Providers like to repeat the key that they refuse."""
    key = endpoint.key.reveal() if endpoint.key is not None else ""
    if key and key in failure.message:
        failure.message = failure.message.replace(key, "***")
        failure.args = (failure.message,)
    return failure
