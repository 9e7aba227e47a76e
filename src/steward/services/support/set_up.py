"""The part of the contract that a tenant sets the desk up with: intents, playbooks, the shop, customer keys.

Imported by `api.py` only, by which everybody else gets it.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

IntentName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Example = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]


class IntentExamples(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: IntentName
    examples: Annotated[Sequence[Example], Meta(min_length=1, max_length=20_000)]


class TrainingState(StrEnum):
    QUEUED = "queued"
    TRAINING = "training"
    READY = "ready"
    FAILED = "failed"


class IntentSummary(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    examples: int


class IntentSet(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's intents and how far their training is."""

    version: int
    """0 is the set that Steward ships."""
    state: TrainingState
    intents: Sequence[IntentSummary]
    examples: int
    serving_version: int
    """The version that classifies now; an older one until a new one is ready."""
    trained_at: datetime | None = None
    accuracy: float | None = None
    """By cross-validation on the examples."""
    problem: str = ""
    """Why training failed."""


class Classified(msgspec.Struct, frozen=True, kw_only=True):
    intent: str
    confidence: float
    unsure: bool
    """None of the intents, or the classifier cannot tell."""


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """A declarative dialogue."""

    name: str
    source: str
    """YAML; its form is in docs/reference/playbooks.md."""
    version: int
    """0 is the one that Steward ships."""
    updated_at: datetime | None = None


class ShopConnection(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tenant's shop is; its credential is never shown."""

    base_url: str
    updated_at: datetime


class CustomerKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key that a tenant signs its customers' tokens with (JWK of RFC 7517; Ed25519, ES256 or RS256)."""

    kid: Annotated[str, Meta(min_length=1, max_length=100)]
    jwk: Annotated[str, Meta(max_length=4096)]
    """JSON."""
