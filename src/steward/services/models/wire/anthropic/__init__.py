"""Anthropic Messages, version 2023-06-01 (platform.claude.com, "Messages API"; types of its Python client 2.11).

`AnthropicClient` speaks to providers, `AnthropicServer` to clients. A request that came in this dialect goes out again
as it came, unknown parameters, blocks and fields included, but for forms that mean the same:

- a null field of a block is absent, and so are `"stream": false`, `"is_error": false`, an empty list of tools or stop
  sequences, `"type": "custom"` of a tool, and `"caller": {"type": "direct"}` of a call that a client gives back;
- `output_format` is written as `output_config.format`.

Of a request in another dialect: all instructions that stand first become `system`; results of tool calls that follow
each other become one message; `reasoning_effort` becomes `output_config.effort` with adaptive thinking, and `none`
becomes disabled thinking; the name and `strict` of a schema of the answer are left out, for Anthropic is always strict
and knows no name; `metadata` stays here. What has no words is refused by name.

Pitfalls: `max_tokens` must be above `thinking.budget_tokens`, so a call that is granted fewer output tokens is refused
by the provider. Images by id, and reasoning without Anthropic's signature, cannot come from elsewhere.
"""

from steward.services.models.wire.anthropic.betas import BETAS, beta_headers, with_betas
from steward.services.models.wire.anthropic.client import AnthropicClient
from steward.services.models.wire.anthropic.server import AnthropicServer
from steward.services.models.wire.anthropic.stream_decoding import AnthropicStreamDecoder
from steward.services.models.wire.anthropic.stream_encoding import AnthropicStreamEncoder

__all__ = [
    "BETAS",
    "AnthropicClient",
    "AnthropicServer",
    "AnthropicStreamDecoder",
    "AnthropicStreamEncoder",
    "beta_headers",
    "with_betas",
]
