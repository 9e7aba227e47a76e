"""Settings of the knowledge service."""

from typing import Annotated

import msgspec
from msgspec import Meta

PREFIX = "STEWARD_KNOWLEDGE_"


class KnowledgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a process may remember of tenants' knowledge."""

    cache_bytes: Annotated[
        int, Meta(ge=1_000_000, description="Memory for indexes of small corpora and results of searches, in bytes.")
    ] = 48_000_000
    cache_entries: Annotated[
        int, Meta(ge=100, description="Indexes and results of searches that are remembered at most.")
    ] = 50_000
