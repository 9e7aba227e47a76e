"""Settings of the language model."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

PREFIX = "STEWARD_MODEL_"


class Provider(StrEnum):
    """Whose wire format is spoken."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"


Key = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[!-~]+$")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Url = Annotated[
    str, Meta(max_length=500, pattern=r"^https?://[^/\s?#@]+(/[^\s?#]*)?$", examples=["https://models.example.com/v1"])
]


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which model answers; without a key the desk works without one."""

    anthropic_api_key: Annotated[
        Key | None,
        Meta(
            description="Key for Anthropic Messages; with it a model phrases answers.",
            extra={"variable": "ANTHROPIC_API_KEY", "sensitive": True},
        ),
    ] = None
    anthropic_base_url: Annotated[
        Url, Meta(description="Where Anthropic Messages is spoken.", extra={"variable": "ANTHROPIC_BASE_URL"})
    ] = "https://api.anthropic.com"
    openai_api_key: Annotated[
        Key | None,
        Meta(
            description="Key for OpenAI Chat Completions; with it a model phrases answers.",
            extra={"variable": "OPENAI_API_KEY", "sensitive": True},
        ),
    ] = None
    openai_base_url: Annotated[
        Url,
        Meta(
            description="Where OpenAI Chat Completions is spoken; may be a host inside the network and plain http.",
            extra={"variable": "OPENAI_BASE_URL"},
        ),
    ] = "https://api.openai.com/v1"
    provider: Annotated[
        Provider | None, Meta(description="Which provider to ask where both keys are set; Anthropic if left out.")
    ] = None
    name: Annotated[
        Name | None, Meta(description="The model's name; left out, `claude-haiku-4-5` or `gpt-4.1-mini`.")
    ] = None
    seconds: Annotated[
        float, Meta(gt=0, le=8, description="Time a model may take; the desk then answers without it.")
    ] = 8.0

    @property
    def chosen(self) -> Provider | None:
        """The provider to ask: the one that is named if it has a key, else one that has."""
        keys = {Provider.ANTHROPIC: self.anthropic_api_key, Provider.OPENAI: self.openai_api_key}
        order = (self.provider, Provider.ANTHROPIC, Provider.OPENAI)
        return next((provider for provider in order if provider is not None and keys[provider]), None)
