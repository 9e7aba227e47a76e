"""The routes of the models service: what calls go by, and the surfaces that other APIs' clients know.

`openai` and `anthropic` answer in those dialects below `/v1/`; `registry` is of our own, below `/api/v1/models/`.
"""

from collections.abc import Sequence
from typing import Final

from litestar.handlers import HTTPRouteHandler

from steward.services.models.http import anthropic, openai, registry
from steward.services.models.http.batches import BATCH_ROUTES

ROUTES: Final[Sequence[HTTPRouteHandler]] = (
    openai.create_chat_completion,
    openai.create_response,
    openai.create_embeddings,
    openai.list_models,
    openai.get_model,
    anthropic.create_message,
    anthropic.count_message_tokens,
    *BATCH_ROUTES,
    *registry.ROUTES,
)
