"""What the engine gathers and sends to the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.ids import TenantId
from steward.services.costs.amounts import Bound
from steward.services.costs.api import Actual, CallUsage, Outcome, Price


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger will say of a call, and its price: kept as JSON until the call is settled."""

    request_id: str
    user: str
    agent: str
    key: str
    team: str | None
    """None lets the member's team stand in."""
    tags: Mapping[str, str]
    alias: str
    connection: str
    operation: str
    provider: str
    model: str
    price: Price | None
    """As it holds for this call; None where nobody knows it."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A call that asks for leave."""

    tenant: TenantId
    call_id: UUID
    subjects: str
    """As `counted_for` gives them."""
    call: str
    """A `Call` as JSON."""
    bound: Bound
    nanos: int
    """With all the output that is wanted."""
    input_tokens: int
    output_tokens: int
    least_output_tokens: int
    priced: bool
    provider: str
    model: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The database's word on a call that was not granted in full: granted less, granted before, or refused."""

    place: int
    """Counted from 1."""
    nanos: int | None = None
    output: int | None = None
    budget_id: UUID | None = None
    budget: str = ""
    limit: int = 0
    used: int = 0
    unit: str = ""
    resets_at: datetime | None = None
    unpriced: bool = False
    """A hard budget in USD holds it, and it has no price."""
    before: bool = False
    """It was reserved already; without `nanos` it has been settled since."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """A call that ended, with what it costs."""

    tenant: TenantId
    call_id: UUID
    actual: Actual
    cost: int


class OpenCall(msgspec.Struct, frozen=True, kw_only=True):
    """What a process needs to know of a call that another one reserved."""

    price: Price | None


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was answered without a provider."""

    tenant: TenantId
    call_id: UUID
    subjects: str
    call: str
    cache: str
    usage: CallUsage
    latency_ms: int


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a batch of endings."""

    notices: int
    missing: Sequence[int] | None
    """Places, from 1, of calls that are not in flight."""


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says of a call so far, all revisions together."""

    revision: int
    """The last one."""
    exact: bool
    outcome: Outcome
    cost: int
    usage: CallUsage
    latency_ms: int
    reserved: int
    reserved_tokens: int
    connection: str
    provider: str
    model: str
    price: Price | None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a settlement left to be published."""

    tenant: TenantId
    kind: str
    body: msgspec.Raw
