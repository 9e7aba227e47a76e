"""Outgoing HTTP: a client for addresses that a tenant can steer, and the circuit breaker in front of any upstream."""

from steward.kit.http.addresses import Resolver, SystemResolver
from steward.kit.http.breaker import Breakers, BreakerState, CircuitBreaker, Permit
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
    "BreakerState",
    "Breakers",
    "CircuitBreaker",
    "CircuitOpen",
    "HttpSettings",
    "Permit",
    "RedirectRefused",
    "RequestRefused",
    "Resolver",
    "Response",
    "ResponseTooLarge",
    "SafeClient",
    "SystemResolver",
    "UpstreamTimeout",
    "UpstreamUnavailable",
]
