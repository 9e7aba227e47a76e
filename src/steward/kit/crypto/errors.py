"""Failures of sealing and opening."""

from uuid import UUID

from steward.kit.errors import AppError, Kind
from steward.kit.ids import TenantId


class KeyDestroyed(AppError):
    """The tenant's keys were destroyed: what was sealed for it can never be read again."""

    code = "key_destroyed"
    kind = Kind.NOT_FOUND

    def __init__(self, tenant: TenantId | None) -> None:
        super().__init__(
            f"the keys of tenant {tenant} were destroyed when it was deleted: its sealed values cannot be read again",
            tenant=str(tenant),
        )


class SealBroken(AppError):
    """A sealed value is not what was sealed: altered, cut, or sealed for another tenant or purpose."""

    code = "seal_broken"
    kind = Kind.INTERNAL

    def __init__(self, problem: str) -> None:
        super().__init__(f"a sealed value does not open: {problem}; restore the value from a backup or set it anew")


class MasterKeyMismatch(AppError):
    """A data key was wrapped by another master key than the one this installation has."""

    code = "master_key_mismatch"
    kind = Kind.INTERNAL

    def __init__(self, data_key: UUID, wanted: str, present: str) -> None:
        super().__init__(
            f"data key {data_key} was wrapped by master key {wanted}, this process has {present}: "
            "restore the master key that belongs to this database",
            data_key=str(data_key),
            wanted=wanted,
            present=present,
        )
