"""How failures are told below `/v1/`: in the form of the dialect that is spoken there."""

from typing import Final

from steward.kit.web import ErrorForm
from steward.services.models.http.described import AnthropicFailure, OpenAiFailure
from steward.services.models.wire.anthropic import AnthropicServer
from steward.services.models.wire.openai.embeddings import OpenAiEmbeddingsServer

OPENAI: Final = ErrorForm(prefix="/v1/", body=OpenAiEmbeddingsServer().error, schema=OpenAiFailure)
ANTHROPIC: Final = ErrorForm(
    prefix="/v1/messages", body=AnthropicServer().error, schema=AnthropicFailure, id_header=b"request-id"
)
