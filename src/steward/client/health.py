"""What `/health` says."""

from collections.abc import Mapping

import msgspec


class Dependency(msgspec.Struct, frozen=True):
    """One part that the platform needs."""

    status: str
    detail: str | None = None


class Health(msgspec.Struct, frozen=True):
    """The platform's own view of itself; `status` is `ok` when every dependency is up."""

    status: str
    version: str
    dependencies: Mapping[str, Dependency]
