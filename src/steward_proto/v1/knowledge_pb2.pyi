import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DocumentInput(_message.Message):
    __slots__ = ("id", "title", "text", "tags", "locale")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    text: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    locale: str
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., locale: _Optional[str] = ...) -> None: ...

class StoredDocument(_message.Message):
    __slots__ = ("id", "version", "chunks", "changed")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: int
    chunks: int
    changed: bool
    def __init__(self, id: _Optional[str] = ..., version: _Optional[int] = ..., chunks: _Optional[int] = ..., changed: _Optional[bool] = ...) -> None: ...

class Document(_message.Message):
    __slots__ = ("id", "title", "text", "tags", "locale", "version", "chunks", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    text: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    locale: str
    version: int
    chunks: int
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., locale: _Optional[str] = ..., version: _Optional[int] = ..., chunks: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DocumentSummary(_message.Message):
    __slots__ = ("id", "title", "tags", "locale", "version", "chunks", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    locale: str
    version: int
    chunks: int
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., locale: _Optional[str] = ..., version: _Optional[int] = ..., chunks: _Optional[int] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DocumentVersion(_message.Message):
    __slots__ = ("version", "title", "text", "tags", "changed_at")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    version: int
    title: str
    text: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[int] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FaqInput(_message.Message):
    __slots__ = ("id", "question", "answer", "category", "keywords", "locale")
    ID_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    id: str
    question: str
    answer: str
    category: str
    keywords: _containers.RepeatedScalarFieldContainer[str]
    locale: str
    def __init__(self, id: _Optional[str] = ..., question: _Optional[str] = ..., answer: _Optional[str] = ..., category: _Optional[str] = ..., keywords: _Optional[_Iterable[str]] = ..., locale: _Optional[str] = ...) -> None: ...

class Words(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, items: _Optional[_Iterable[str]] = ...) -> None: ...

class FaqUpdate(_message.Message):
    __slots__ = ("question", "answer", "category", "keywords", "version")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    question: str
    answer: str
    category: str
    keywords: Words
    version: int
    def __init__(self, question: _Optional[str] = ..., answer: _Optional[str] = ..., category: _Optional[str] = ..., keywords: _Optional[_Union[Words, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class Faq(_message.Message):
    __slots__ = ("id", "question", "answer", "category", "keywords", "locale", "version", "view_count", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VIEW_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    question: str
    answer: str
    category: str
    keywords: _containers.RepeatedScalarFieldContainer[str]
    locale: str
    version: int
    view_count: int
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., question: _Optional[str] = ..., answer: _Optional[str] = ..., category: _Optional[str] = ..., keywords: _Optional[_Iterable[str]] = ..., locale: _Optional[str] = ..., version: _Optional[int] = ..., view_count: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ImportProblem(_message.Message):
    __slots__ = ("line", "problem")
    LINE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    line: int
    problem: str
    def __init__(self, line: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class ImportResult(_message.Message):
    __slots__ = ("created", "updated", "unchanged", "problems")
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    created: int
    updated: int
    unchanged: int
    problems: _containers.RepeatedCompositeFieldContainer[ImportProblem]
    def __init__(self, created: _Optional[int] = ..., updated: _Optional[int] = ..., unchanged: _Optional[int] = ..., problems: _Optional[_Iterable[_Union[ImportProblem, _Mapping]]] = ...) -> None: ...

class SearchFilters(_message.Message):
    __slots__ = ("tags", "kind", "category", "locale", "document_ids")
    TAGS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    tags: Words
    kind: str
    category: str
    locale: str
    document_ids: Words
    def __init__(self, tags: _Optional[_Union[Words, _Mapping]] = ..., kind: _Optional[str] = ..., category: _Optional[str] = ..., locale: _Optional[str] = ..., document_ids: _Optional[_Union[Words, _Mapping]] = ...) -> None: ...

class Hit(_message.Message):
    __slots__ = ("document_id", "chunk_id", "kind", "title", "text", "locale", "score", "confidence", "exact")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CHUNK_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    chunk_id: str
    kind: str
    title: str
    text: str
    locale: str
    score: float
    confidence: float
    exact: bool
    def __init__(self, document_id: _Optional[str] = ..., chunk_id: _Optional[str] = ..., kind: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., locale: _Optional[str] = ..., score: _Optional[float] = ..., confidence: _Optional[float] = ..., exact: _Optional[bool] = ...) -> None: ...

class SearchResult(_message.Message):
    __slots__ = ("query_id", "hits")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    hits: _containers.RepeatedCompositeFieldContainer[Hit]
    def __init__(self, query_id: _Optional[str] = ..., hits: _Optional[_Iterable[_Union[Hit, _Mapping]]] = ...) -> None: ...

class PopularQuestion(_message.Message):
    __slots__ = ("question", "asked", "faq_id", "last_asked_at")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    FAQ_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    question: str
    asked: int
    faq_id: str
    last_asked_at: _timestamp_pb2.Timestamp
    def __init__(self, question: _Optional[str] = ..., asked: _Optional[int] = ..., faq_id: _Optional[str] = ..., last_asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FeedbackCount(_message.Message):
    __slots__ = ("faq_id", "helpful", "unhelpful")
    FAQ_ID_FIELD_NUMBER: _ClassVar[int]
    HELPFUL_FIELD_NUMBER: _ClassVar[int]
    UNHELPFUL_FIELD_NUMBER: _ClassVar[int]
    faq_id: str
    helpful: int
    unhelpful: int
    def __init__(self, faq_id: _Optional[str] = ..., helpful: _Optional[int] = ..., unhelpful: _Optional[int] = ...) -> None: ...

class PutDocumentsRequest(_message.Message):
    __slots__ = ("documents",)
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[DocumentInput]
    def __init__(self, documents: _Optional[_Iterable[_Union[DocumentInput, _Mapping]]] = ...) -> None: ...

class PutDocumentsResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[StoredDocument]
    def __init__(self, items: _Optional[_Iterable[_Union[StoredDocument, _Mapping]]] = ...) -> None: ...

class PutDocumentRequest(_message.Message):
    __slots__ = ("document_id", "document")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    document: DocumentInput
    def __init__(self, document_id: _Optional[str] = ..., document: _Optional[_Union[DocumentInput, _Mapping]] = ...) -> None: ...

class GetDocumentRequest(_message.Message):
    __slots__ = ("document_id",)
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    def __init__(self, document_id: _Optional[str] = ...) -> None: ...

class ListDocumentsRequest(_message.Message):
    __slots__ = ("limit", "cursor")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    limit: int
    cursor: str
    def __init__(self, limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListDocumentsResponse(_message.Message):
    __slots__ = ("items", "next_cursor")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[DocumentSummary]
    next_cursor: str
    def __init__(self, items: _Optional[_Iterable[_Union[DocumentSummary, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class ListDocumentVersionsRequest(_message.Message):
    __slots__ = ("document_id",)
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    def __init__(self, document_id: _Optional[str] = ...) -> None: ...

class ListDocumentVersionsResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[DocumentVersion]
    def __init__(self, items: _Optional[_Iterable[_Union[DocumentVersion, _Mapping]]] = ...) -> None: ...

class DeleteDocumentRequest(_message.Message):
    __slots__ = ("document_id",)
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    def __init__(self, document_id: _Optional[str] = ...) -> None: ...

class DeleteDocumentResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateFaqRequest(_message.Message):
    __slots__ = ("faq",)
    FAQ_FIELD_NUMBER: _ClassVar[int]
    faq: FaqInput
    def __init__(self, faq: _Optional[_Union[FaqInput, _Mapping]] = ...) -> None: ...

class GetFaqRequest(_message.Message):
    __slots__ = ("faq_id",)
    FAQ_ID_FIELD_NUMBER: _ClassVar[int]
    faq_id: str
    def __init__(self, faq_id: _Optional[str] = ...) -> None: ...

class ListFaqsRequest(_message.Message):
    __slots__ = ("category", "limit", "cursor")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    category: str
    limit: int
    cursor: str
    def __init__(self, category: _Optional[str] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListFaqsResponse(_message.Message):
    __slots__ = ("items", "next_cursor")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Faq]
    next_cursor: str
    def __init__(self, items: _Optional[_Iterable[_Union[Faq, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class UpdateFaqRequest(_message.Message):
    __slots__ = ("faq_id", "change")
    FAQ_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    faq_id: str
    change: FaqUpdate
    def __init__(self, faq_id: _Optional[str] = ..., change: _Optional[_Union[FaqUpdate, _Mapping]] = ...) -> None: ...

class DeleteFaqRequest(_message.Message):
    __slots__ = ("faq_id",)
    FAQ_ID_FIELD_NUMBER: _ClassVar[int]
    faq_id: str
    def __init__(self, faq_id: _Optional[str] = ...) -> None: ...

class DeleteFaqResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ImportFaqsRequest(_message.Message):
    __slots__ = ("format", "content")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    format: str
    content: str
    def __init__(self, format: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ("query", "k", "filters", "recorded")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    query: str
    k: int
    filters: SearchFilters
    recorded: bool
    def __init__(self, query: _Optional[str] = ..., k: _Optional[int] = ..., filters: _Optional[_Union[SearchFilters, _Mapping]] = ..., recorded: _Optional[bool] = ...) -> None: ...

class NoteAnsweredRequest(_message.Message):
    __slots__ = ("question", "faq_id")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    FAQ_ID_FIELD_NUMBER: _ClassVar[int]
    question: str
    faq_id: str
    def __init__(self, question: _Optional[str] = ..., faq_id: _Optional[str] = ...) -> None: ...

class NoteAnsweredResponse(_message.Message):
    __slots__ = ("query_id",)
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    def __init__(self, query_id: _Optional[str] = ...) -> None: ...

class ListPopularRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListPopularResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PopularQuestion]
    def __init__(self, items: _Optional[_Iterable[_Union[PopularQuestion, _Mapping]]] = ...) -> None: ...

class ListUnansweredRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListUnansweredResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PopularQuestion]
    def __init__(self, items: _Optional[_Iterable[_Union[PopularQuestion, _Mapping]]] = ...) -> None: ...

class GiveFeedbackRequest(_message.Message):
    __slots__ = ("query_id", "helpful", "comment")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    HELPFUL_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    helpful: bool
    comment: str
    def __init__(self, query_id: _Optional[str] = ..., helpful: _Optional[bool] = ..., comment: _Optional[str] = ...) -> None: ...

class GiveFeedbackResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListFeedbackRequest(_message.Message):
    __slots__ = ("limit", "cursor")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    limit: int
    cursor: str
    def __init__(self, limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListFeedbackResponse(_message.Message):
    __slots__ = ("items", "next_cursor")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[FeedbackCount]
    next_cursor: str
    def __init__(self, items: _Optional[_Iterable[_Union[FeedbackCount, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...
