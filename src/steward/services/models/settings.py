"""Settings of the models service."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

SETTINGS_PREFIX = "STEWARD_MODELS_"
REDIS_PREFIX = "STEWARD_REDIS_"

Key = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[!-~]+$")]
Url = Annotated[
    str, Meta(max_length=500, pattern=r"^https?://[^/\s?#@]+(/[^\s?#]*)?$", examples=["https://models.example.com/v1"])
]
Choice = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}/[!-~]{1,200}$", examples=["openai/gpt-4.1-mini"], max_length=241)
]
Host = Annotated[str, Meta(min_length=1, max_length=260)]


class ModelsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Connections of the installation that the environment makes, and what tenants may reach."""

    openai_api_key: Annotated[
        Key | None,
        Meta(
            description="Key for OpenAI; with it, or with a base URL, the installation has the connection `openai`.",
            extra={"variable": "OPENAI_API_KEY", "sensitive": True},
        ),
    ] = None
    openai_base_url: Annotated[
        Url | None,
        Meta(
            description="Where the connection `openai` is, if not at OpenAI; a host inside and plain http are allowed.",
            extra={"variable": "OPENAI_BASE_URL"},
        ),
    ] = None
    anthropic_api_key: Annotated[
        Key | None,
        Meta(
            description="Key for Anthropic; with it, or with a base URL, the installation has the connection "
            "`anthropic`.",
            extra={"variable": "ANTHROPIC_API_KEY", "sensitive": True},
        ),
    ] = None
    anthropic_base_url: Annotated[
        Url | None,
        Meta(
            description="Where the connection `anthropic` is, if not at Anthropic.",
            extra={"variable": "ANTHROPIC_BASE_URL"},
        ),
    ] = None
    small: Annotated[
        tuple[Choice, ...],
        Meta(description="What the alias `small` stands for, the first choice first; left out, one of each provider."),
    ] = ()
    medium: Annotated[tuple[Choice, ...], Meta(description="The same for `medium`.")] = ()
    large: Annotated[tuple[Choice, ...], Meta(description="The same for `large`.")] = ()
    max_output_tokens: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Most tokens of an answer of a model that is asked for as `connection/model`, and of the "
            "aliases that the environment makes.",
        ),
    ] = 8192
    max_concurrency: Annotated[
        int,
        Meta(ge=1, le=100_000, description="Calls at a time of one process to each connection of the environment."),
    ] = 256
    allowed_hosts: Annotated[
        tuple[Host, ...],
        Meta(description="Hosts, or host:port, inside the network or with plain http, that tenants may connect to."),
    ] = ()
    tiktoken_dir: Annotated[
        Path | None,
        Meta(
            description="Directory with `o200k_base.tiktoken` or `cl100k_base.tiktoken`, by which OpenAI's tokens are "
            "counted exactly; without it they are estimated."
        ),
    ] = None
    semantic_similarity: Annotated[
        float,
        Meta(ge=0.5, le=1, description="Least cosine of two questions that the semantic cache takes for the same."),
    ] = 0.97
    batch_days: Annotated[
        int,
        Meta(ge=1, le=3650, description="Days after which files, and batches that have ended, are deleted."),
    ] = 30
    directory_seconds: Annotated[
        float,
        Meta(gt=0, le=3600, description="How long a process remembers connections and aliases; events end it sooner."),
    ] = 60.0
