"""What each plan allows."""

from collections.abc import Mapping
from types import MappingProxyType

from steward.services.tenants.api import Plan, Quota

_GIB = 1024**3

PLANS: Mapping[Plan, Mapping[Quota, int]] = MappingProxyType(
    {
        Plan.FREE: {
            Quota.USERS: 5,
            Quota.AGENTS: 3,
            Quota.API_KEYS: 5,
            Quota.CONCURRENT_RUNS: 5,
            Quota.TOKENS_PER_MONTH: 1_000_000,
            Quota.STORAGE_BYTES: _GIB,
            Quota.SANDBOXES: 1,
            Quota.REQUESTS_PER_MINUTE: 100,
        },
        Plan.PRO: {
            Quota.USERS: 100,
            Quota.AGENTS: 50,
            Quota.API_KEYS: 50,
            Quota.CONCURRENT_RUNS: 200,
            Quota.TOKENS_PER_MONTH: 100_000_000,
            Quota.STORAGE_BYTES: 100 * _GIB,
            Quota.SANDBOXES: 20,
            Quota.REQUESTS_PER_MINUTE: 6_000,
        },
        Plan.ENTERPRISE: {
            Quota.USERS: 10_000,
            Quota.AGENTS: 2_000,
            Quota.API_KEYS: 2_000,
            Quota.CONCURRENT_RUNS: 100_000,
            Quota.TOKENS_PER_MONTH: 10_000_000_000,
            Quota.STORAGE_BYTES: 10_000 * _GIB,
            Quota.SANDBOXES: 1_000,
            Quota.REQUESTS_PER_MINUTE: 1_000_000,
        },
    }
)
