"""OpenAI Chat Completions and Embeddings on the wire, in both directions.

Source: OpenAI's API reference of November 2026, and what providers that follow it were recorded to send.

Fields that nobody here knows are kept at every level and told again to the same dialect: of a request and an answer in
`extra`, of a message, part, tool or choice in theirs; those of an object within one (`function`, `image_url`,
`message`) under its name. The docstrings of the modules `*_in` and `*_out` say which forms mean the same and are told
in one way.
"""

from steward.services.models.wire.openai.client import OpenAiClient
from steward.services.models.wire.openai.embeddings import OpenAiEmbeddingsClient, OpenAiEmbeddingsServer
from steward.services.models.wire.openai.server import OpenAiServer

__all__ = ["OpenAiClient", "OpenAiEmbeddingsClient", "OpenAiEmbeddingsServer", "OpenAiServer"]
