"""The services of the platform, in the order in which they are built."""

from collections.abc import Sequence
from pathlib import Path

import steward.kit
from steward.kit.module import Module
from steward.services.audit.module import MODULE as AUDIT
from steward.services.costs.module import MODULE as COSTS
from steward.services.identity.module import MODULE as IDENTITY
from steward.services.knowledge.module import MODULE as KNOWLEDGE
from steward.services.models.module import MODULE as MODELS
from steward.services.support.module import MODULE as SUPPORT
from steward.services.tenants.module import MODULE as TENANTS

MODULES: Sequence[Module] = (TENANTS, IDENTITY, AUDIT, COSTS, MODELS, KNOWLEDGE, SUPPORT)

GATEWAY = "gateway"
"""Named beside the services when a process is to serve HTTP."""


def service_names() -> Sequence[str]:
    """The names of all services."""
    return tuple(module.name for module in MODULES)


def migration_locations() -> Sequence[Path]:
    """Where the migrations lie, the kit's first."""
    return (Path(steward.kit.__file__).parent / "migrations", *(module.migrations for module in MODULES))
