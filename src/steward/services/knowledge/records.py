"""Rows of the knowledge service as its use cases see them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.ids import TenantId
from steward.services.knowledge.api import SourceKind


class Corpus(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant has in all."""

    revision: int
    """Counts the changes."""
    next_number: int
    """The next chunk's."""
    chunks: int
    text_terms: int
    title_terms: int


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A FAQ or document: of a FAQ `title` is the question, `body` the answer, `tags` are the keywords."""

    id: str
    kind: SourceKind
    title: str
    body: str
    category: str
    tags: Sequence[str]
    locale: str
    key: str
    """Of a FAQ's question, see `features.key_of`."""
    digest: bytes
    """Of all that the owner wrote."""


class StoredSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source with what the database knows of it."""

    source: Source
    version: int
    chunks: int
    created_at: datetime
    updated_at: datetime
    views: int = 0


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What is there under an id."""

    kind: SourceKind
    digest: bytes
    version: int
    chunks: int


class PreparedChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk of a source, analysed; its parts as in `features.ChunkFeatures`."""

    ordinal: int
    body: str
    terms: str
    """As PostgreSQL writes an array."""
    vector: bytes
    extra: bytes
    text_terms: int
    title_terms: int


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A source, ready to be stored."""

    source: Source
    chunks: Sequence[PreparedChunk]


class ChunkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk as it is ranked."""

    number: int
    vector: bytes
    extra: bytes
    text_terms: int
    title_terms: int


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk as it is shown."""

    number: int
    source_id: str
    ordinal: int
    kind: SourceKind
    title: str
    text: str
    locale: str
    category: str
    tags: Sequence[str]


class RecordedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A search that was made."""

    tenant: TenantId
    id: UUID
    question: str
    key: str
    faq_id: str | None
    answered: bool
    asked_at: datetime
