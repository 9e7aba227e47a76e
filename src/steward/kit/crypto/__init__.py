"""Secrets at rest: sealing under per-tenant data keys, passwords, and the credentials that the platform gives out.

`Envelope` seals and opens values. Its `Keyring` keeps one data key per tenant, wrapped by a `MasterKey` and stored
through a `DataKeyStore`; destroying a tenant's keys makes everything sealed for it unreadable for good.
"""

from steward.kit.crypto.envelope import Envelope
from steward.kit.crypto.errors import KeyDestroyed, MasterKeyMismatch, SealBroken
from steward.kit.crypto.keyring import Keyring
from steward.kit.crypto.keys import DataKey, DataKeyStore, KeyUse
from steward.kit.crypto.master import LocalMasterKey, MasterKey, MasterKeyFileRefused

__all__ = [
    "DataKey",
    "DataKeyStore",
    "Envelope",
    "KeyDestroyed",
    "KeyUse",
    "Keyring",
    "LocalMasterKey",
    "MasterKey",
    "MasterKeyFileRefused",
    "MasterKeyMismatch",
    "SealBroken",
]
