"""Outgoing HTTP: a client for addresses that a tenant can steer, and the circuit breaker in front of any upstream."""

from steward.kit.http.breaker import Breakers, CircuitBreaker
from steward.kit.http.client import Response, SafeClient
from steward.kit.http.errors import (
    AddressRefused,
    CircuitOpen,
    RedirectRefused,
    RequestRefused,
    ResponseTooLarge,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from steward.kit.http.settings import HttpSettings

__all__ = [
    "AddressRefused",
    "Breakers",
    "CircuitBreaker",
    "CircuitOpen",
    "HttpSettings",
    "RedirectRefused",
    "RequestRefused",
    "Response",
    "ResponseTooLarge",
    "SafeClient",
    "UpstreamTimeout",
    "UpstreamUnavailable",
]
