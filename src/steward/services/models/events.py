"""What the models service tells the others, and its own other processes."""

from steward.kit.outbox import DomainEvent


class ConnectionChanged(DomainEvent, frozen=True, kw_only=True):
    """A connection was made, changed or deleted; of tenant `PLATFORM`, it is the installation's."""

    name: str


class AliasChanged(DomainEvent, frozen=True, kw_only=True):
    """An alias was made, changed or deleted; of tenant `PLATFORM`, it is the installation's."""

    name: str


class AllowedModelsChanged(DomainEvent, frozen=True, kw_only=True):
    """The list of names that a tenant is held to is another one."""
