import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Entity(_message.Message):
    __slots__ = ("type", "value", "text")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    type: str
    value: str
    text: str
    def __init__(self, type: _Optional[str] = ..., value: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class ScoredIntent(_message.Message):
    __slots__ = ("type", "confidence")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    type: str
    confidence: float
    def __init__(self, type: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class Intent(_message.Message):
    __slots__ = ("type", "confidence", "entities", "unsure", "others", "reason")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    UNSURE_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    type: str
    confidence: float
    entities: _containers.RepeatedCompositeFieldContainer[Entity]
    unsure: bool
    others: _containers.RepeatedCompositeFieldContainer[ScoredIntent]
    reason: str
    def __init__(self, type: _Optional[str] = ..., confidence: _Optional[float] = ..., entities: _Optional[_Iterable[_Union[Entity, _Mapping]]] = ..., unsure: _Optional[bool] = ..., others: _Optional[_Iterable[_Union[ScoredIntent, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class Citation(_message.Message):
    __slots__ = ("document_id", "chunk_id", "title", "text", "score")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CHUNK_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    chunk_id: str
    title: str
    text: str
    score: float
    def __init__(self, document_id: _Optional[str] = ..., chunk_id: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class ChatAnswer(_message.Message):
    __slots__ = ("session_id", "message_id", "message", "agent_type", "intent", "citations", "timestamp", "response_time_ms", "from_cache", "degraded", "sentiment", "ticket_id")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    AGENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    FROM_CACHE_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    SENTIMENT_FIELD_NUMBER: _ClassVar[int]
    TICKET_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    message_id: str
    message: str
    agent_type: str
    intent: Intent
    citations: _containers.RepeatedCompositeFieldContainer[Citation]
    timestamp: _timestamp_pb2.Timestamp
    response_time_ms: int
    from_cache: bool
    degraded: bool
    sentiment: str
    ticket_id: str
    def __init__(self, session_id: _Optional[str] = ..., message_id: _Optional[str] = ..., message: _Optional[str] = ..., agent_type: _Optional[str] = ..., intent: _Optional[_Union[Intent, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[Citation, _Mapping]]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., response_time_ms: _Optional[int] = ..., from_cache: _Optional[bool] = ..., degraded: _Optional[bool] = ..., sentiment: _Optional[str] = ..., ticket_id: _Optional[str] = ...) -> None: ...

class ChatEvent(_message.Message):
    __slots__ = ("id", "type", "session_id", "message_id", "text", "intent", "answer")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: str
    session_id: str
    message_id: str
    text: str
    intent: Intent
    answer: ChatAnswer
    def __init__(self, id: _Optional[str] = ..., type: _Optional[str] = ..., session_id: _Optional[str] = ..., message_id: _Optional[str] = ..., text: _Optional[str] = ..., intent: _Optional[_Union[Intent, _Mapping]] = ..., answer: _Optional[_Union[ChatAnswer, _Mapping]] = ...) -> None: ...

class ChatMessage(_message.Message):
    __slots__ = ("id", "sender", "text", "created_at", "agent_type", "intent", "citations", "reply_to", "from_cache", "degraded", "response_time_ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    AGENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    FROM_CACHE_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    id: str
    sender: str
    text: str
    created_at: _timestamp_pb2.Timestamp
    agent_type: str
    intent: Intent
    citations: _containers.RepeatedCompositeFieldContainer[Citation]
    reply_to: str
    from_cache: bool
    degraded: bool
    response_time_ms: int
    def __init__(self, id: _Optional[str] = ..., sender: _Optional[str] = ..., text: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., agent_type: _Optional[str] = ..., intent: _Optional[_Union[Intent, _Mapping]] = ..., citations: _Optional[_Iterable[_Union[Citation, _Mapping]]] = ..., reply_to: _Optional[str] = ..., from_cache: _Optional[bool] = ..., degraded: _Optional[bool] = ..., response_time_ms: _Optional[int] = ...) -> None: ...

class ChatSession(_message.Message):
    __slots__ = ("id", "customer_id", "state", "locale", "messages", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    state: str
    locale: str
    messages: int
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., state: _Optional[str] = ..., locale: _Optional[str] = ..., messages: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Ticket(_message.Message):
    __slots__ = ("id", "number", "session_id", "customer_id", "state", "priority", "reason", "subject", "summary", "created_at", "updated_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    number: int
    session_id: str
    customer_id: str
    state: str
    priority: str
    reason: str
    subject: str
    summary: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., number: _Optional[int] = ..., session_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., state: _Optional[str] = ..., priority: _Optional[str] = ..., reason: _Optional[str] = ..., subject: _Optional[str] = ..., summary: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class IntentExamples(_message.Message):
    __slots__ = ("name", "examples")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    examples: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., examples: _Optional[_Iterable[str]] = ...) -> None: ...

class IntentSummary(_message.Message):
    __slots__ = ("name", "examples")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    examples: int
    def __init__(self, name: _Optional[str] = ..., examples: _Optional[int] = ...) -> None: ...

class IntentSet(_message.Message):
    __slots__ = ("version", "state", "intents", "examples", "serving_version", "trained_at", "accuracy", "problem")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    INTENTS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    SERVING_VERSION_FIELD_NUMBER: _ClassVar[int]
    TRAINED_AT_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    version: int
    state: str
    intents: _containers.RepeatedCompositeFieldContainer[IntentSummary]
    examples: int
    serving_version: int
    trained_at: _timestamp_pb2.Timestamp
    accuracy: float
    problem: str
    def __init__(self, version: _Optional[int] = ..., state: _Optional[str] = ..., intents: _Optional[_Iterable[_Union[IntentSummary, _Mapping]]] = ..., examples: _Optional[int] = ..., serving_version: _Optional[int] = ..., trained_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accuracy: _Optional[float] = ..., problem: _Optional[str] = ...) -> None: ...

class Classified(_message.Message):
    __slots__ = ("intent", "confidence", "unsure")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    UNSURE_FIELD_NUMBER: _ClassVar[int]
    intent: str
    confidence: float
    unsure: bool
    def __init__(self, intent: _Optional[str] = ..., confidence: _Optional[float] = ..., unsure: _Optional[bool] = ...) -> None: ...

class Playbook(_message.Message):
    __slots__ = ("name", "source", "version", "updated_at")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: str
    version: int
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., source: _Optional[str] = ..., version: _Optional[int] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ShopConnection(_message.Message):
    __slots__ = ("base_url", "updated_at")
    BASE_URL_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    base_url: str
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, base_url: _Optional[str] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CustomerKey(_message.Message):
    __slots__ = ("kid", "jwk")
    KID_FIELD_NUMBER: _ClassVar[int]
    JWK_FIELD_NUMBER: _ClassVar[int]
    kid: str
    jwk: str
    def __init__(self, kid: _Optional[str] = ..., jwk: _Optional[str] = ...) -> None: ...

class ChatMetadata(_message.Message):
    __slots__ = ("items",)
    class ItemsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.ScalarMap[str, str]
    def __init__(self, items: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ChatRequest(_message.Message):
    __slots__ = ("message", "session_id", "user_id", "customer_token", "metadata")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    message: str
    session_id: str
    user_id: str
    customer_token: str
    metadata: ChatMetadata
    def __init__(self, message: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., customer_token: _Optional[str] = ..., metadata: _Optional[_Union[ChatMetadata, _Mapping]] = ...) -> None: ...

class ChatStreamRequest(_message.Message):
    __slots__ = ("message", "session_id", "user_id", "customer_token", "metadata", "after")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    message: str
    session_id: str
    user_id: str
    customer_token: str
    metadata: ChatMetadata
    after: str
    def __init__(self, message: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., customer_token: _Optional[str] = ..., metadata: _Optional[_Union[ChatMetadata, _Mapping]] = ..., after: _Optional[str] = ...) -> None: ...

class GetHistoryRequest(_message.Message):
    __slots__ = ("session_id", "user_id", "customer_token", "limit", "cursor")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    user_id: str
    customer_token: str
    limit: int
    cursor: str
    def __init__(self, session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., customer_token: _Optional[str] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class GetHistoryResponse(_message.Message):
    __slots__ = ("items", "next_cursor")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ChatMessage]
    next_cursor: str
    def __init__(self, items: _Optional[_Iterable[_Union[ChatMessage, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class ClearSessionRequest(_message.Message):
    __slots__ = ("session_id", "user_id", "customer_token")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    user_id: str
    customer_token: str
    def __init__(self, session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., customer_token: _Optional[str] = ...) -> None: ...

class ClearSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListChatSessionsRequest(_message.Message):
    __slots__ = ("limit", "cursor")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    limit: int
    cursor: str
    def __init__(self, limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListChatSessionsResponse(_message.Message):
    __slots__ = ("items", "next_cursor")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ChatSession]
    next_cursor: str
    def __init__(self, items: _Optional[_Iterable[_Union[ChatSession, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class ListTicketsRequest(_message.Message):
    __slots__ = ("state", "limit", "cursor")
    STATE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    state: str
    limit: int
    cursor: str
    def __init__(self, state: _Optional[str] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListTicketsResponse(_message.Message):
    __slots__ = ("items", "next_cursor")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Ticket]
    next_cursor: str
    def __init__(self, items: _Optional[_Iterable[_Union[Ticket, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class GetTicketRequest(_message.Message):
    __slots__ = ("ticket_id",)
    TICKET_ID_FIELD_NUMBER: _ClassVar[int]
    ticket_id: str
    def __init__(self, ticket_id: _Optional[str] = ...) -> None: ...

class PutIntentsRequest(_message.Message):
    __slots__ = ("intents",)
    INTENTS_FIELD_NUMBER: _ClassVar[int]
    intents: _containers.RepeatedCompositeFieldContainer[IntentExamples]
    def __init__(self, intents: _Optional[_Iterable[_Union[IntentExamples, _Mapping]]] = ...) -> None: ...

class GetIntentsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ClassifyRequest(_message.Message):
    __slots__ = ("texts",)
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, texts: _Optional[_Iterable[str]] = ...) -> None: ...

class ClassifyResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[Classified]
    def __init__(self, results: _Optional[_Iterable[_Union[Classified, _Mapping]]] = ...) -> None: ...

class ListPlaybooksRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPlaybooksResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Playbook]
    def __init__(self, items: _Optional[_Iterable[_Union[Playbook, _Mapping]]] = ...) -> None: ...

class PutPlaybookRequest(_message.Message):
    __slots__ = ("name", "source")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: str
    def __init__(self, name: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class DeletePlaybookRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeletePlaybookResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PutShopRequest(_message.Message):
    __slots__ = ("base_url", "credential")
    BASE_URL_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    base_url: str
    credential: str
    def __init__(self, base_url: _Optional[str] = ..., credential: _Optional[str] = ...) -> None: ...

class GetShopRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteShopRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteShopResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PutCustomerKeysRequest(_message.Message):
    __slots__ = ("keys",)
    KEYS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[CustomerKey]
    def __init__(self, keys: _Optional[_Iterable[_Union[CustomerKey, _Mapping]]] = ...) -> None: ...

class PutCustomerKeysResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[CustomerKey]
    def __init__(self, items: _Optional[_Iterable[_Union[CustomerKey, _Mapping]]] = ...) -> None: ...
