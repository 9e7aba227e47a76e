"""From what a tenant writes to what is stored: cut into chunks and analysed."""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from steward.kit.text import detect_locale, is_chinese
from steward.services.knowledge.api import DocumentInput, FaqInput, SourceKind
from steward.services.knowledge.chunking import lead_of, pieces
from steward.services.knowledge.features import ChunkFeatures, chunk_features, key_of, mark_of
from steward.services.knowledge.records import Prepared, PreparedChunk, Source

INDEX_VERSION: Final = 2
"""Counts the forms of analysis: raise it with every change of what is stored of a chunk, and all that was stored in an
older form is stored anew in the background; see `reindexing.py`."""

_SAMPLE = 2000


def document_source(document_id: str, document: DocumentInput) -> Source:
    """What a document says."""
    return _source(
        document_id,
        SourceKind.DOCUMENT,
        title=document.title,
        body=document.text,
        category="",
        tags=document.tags,
        locale=document.locale,
    )


def document_sources(documents: Sequence[tuple[str, DocumentInput]]) -> list[Source]:
    """What documents say, each given with its id: up to 0.2 ms each, so many of them belong into a thread."""
    return [document_source(document_id, document) for document_id, document in documents]


def faq_source(faq_id: str, faq: FaqInput) -> Source:
    """What a FAQ says."""
    return _source(
        faq_id,
        SourceKind.FAQ,
        title=faq.question,
        body=faq.answer,
        category=faq.category,
        tags=faq.keywords,
        locale=faq.locale,
    )


def prepare(salt: int, sources: Sequence[Source]) -> list[Prepared]:
    """Analyse sources: about a millisecond each, so it belongs into a thread."""
    return [Prepared(source=source, chunks=_chunks(salt, source)) for source in sources]


def _source(
    source_id: str, kind: SourceKind, *, title: str, body: str, category: str, tags: Sequence[str], locale: str | None
) -> Source:
    said = [kind, title, body, category, list(tags), locale]
    return Source(
        id=source_id,
        kind=kind,
        title=title,
        body=body,
        category=category,
        tags=list(tags),
        locale=locale or _locale(title, body),
        key=key_of(title) if kind is SourceKind.FAQ else "",
        digest=hashlib.sha256(msgspec.json.encode(said)).digest(),
    )


def _locale(title: str, body: str) -> str:
    """The language of a text; Chinese in characters of both scripts counts as simplified."""
    sample = f"{title}\n{body[:_SAMPLE]}"
    return detect_locale(sample) or ("zh-Hans" if is_chinese(sample) else "en")


def _chunks(salt: int, source: Source) -> list[PreparedChunk]:
    marks = marks_of(salt, source)
    if source.kind is SourceKind.FAQ:
        keys = {source.key, *map(key_of, source.tags)}
        found = chunk_features(salt, title=source.title, body=source.body, tags=source.tags, keys=keys, marks=marks)
        return [_chunk(0, source.body, found)]
    prepared: list[PreparedChunk] = []
    title = source.title or lead_of(source.body)
    for ordinal, piece in enumerate(pieces(source.body)):
        found = chunk_features(
            salt,
            title=f"{title}\n{piece.headings}" if piece.headings else title,
            # A title that was made of the text is in it already.
            body=piece.text,
            tags=source.tags,
            keys=(),
            marks=marks,
        )
        prepared.append(_chunk(ordinal, piece.text, found))
    return prepared


def marks_of(salt: int, source: Source) -> list[int]:
    """The terms of the properties by which a search may be narrowed."""
    marks = {
        mark_of(salt, "kind", source.kind),
        mark_of(salt, "locale", source.locale),
        mark_of(salt, "category", source.category),
        *(mark_of(salt, "tag", tag) for tag in source.tags),
    }
    return list(marks)


def _chunk(ordinal: int, body: str, found: ChunkFeatures) -> PreparedChunk:
    return PreparedChunk(
        ordinal=ordinal,
        body=body,
        terms="{" + ",".join(map(str, found.terms)) + "}",
        vector=found.vector,
        extra=found.extra,
        text_terms=found.text_terms,
        title_terms=found.title_terms,
    )
