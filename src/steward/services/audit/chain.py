"""The hash chain of a tenant's trail and its signed heads; pure.

Canonical form, version 1: the record as JSON in UTF-8 without white space, object keys sorted by code point, times as
RFC 3339 in UTC. An entry's hash is SHA-256 over the previous hash (32 bytes), the entry's number (8 bytes, big-endian)
and its canonical form; before the first entry stands SHA-256 over `steward-audit-1` and the tenant's 16 bytes. A head
is signed with Ed25519 (RFC 8032) over `steward-audit-head-1`, tenant, number, hash and time in microseconds.
"""

import hashlib
from datetime import datetime

import msgspec

from steward.kit.ids import TenantId

_GENESIS = b"steward-audit-1"
_HEAD = b"steward-audit-head-1"


class Link(msgspec.Struct, frozen=True):
    """The end of a chain: how many entries it has and the hash of the last."""

    seq: int
    hash: bytes


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A signed end of a chain."""

    tenant: TenantId
    seq: int
    hash: bytes
    at: datetime
    key_id: str
    signature: bytes


def genesis(tenant: TenantId) -> Link:
    """The link before the first entry."""
    return Link(0, hashlib.sha256(_GENESIS + tenant.bytes).digest())


def canonical(body: str) -> str:
    """A record's JSON in canonical form."""
    return msgspec.json.encode(msgspec.json.decode(body), order="sorted").decode()


def next_link(last: Link, body: str) -> Link:
    """The link of an entry in canonical form, behind the last one."""
    seq = last.seq + 1
    return Link(seq, hashlib.sha256(last.hash + seq.to_bytes(8, "big") + body.encode()).digest())


def head_bytes(tenant: TenantId, link: Link, at: datetime) -> bytes:
    """What a signature is made over."""
    micros = round(at.timestamp() * 1_000_000)
    return _HEAD + tenant.bytes + link.seq.to_bytes(8, "big") + link.hash + micros.to_bytes(8, "big")
