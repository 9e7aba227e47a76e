"""The wire formats of model providers, as far as one short answer without streaming needs them.

OpenAI Chat Completions (`POST /chat/completions`) and Anthropic Messages (`POST /v1/messages`, version 2023-06-01).
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from steward.services.support.model.prompts import Prompt
from steward.services.support.ports import ModelFailed

T = TypeVar("T")

_ANTHROPIC_VERSION: Final = "2023-06-01"
_OPENAI: Final = "https://api.openai.com"


class Codec(Protocol):
    """One provider's wire format."""

    @property
    def url(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """With the key: for nobody but the provider."""
        ...

    def encode(self, prompt: Prompt) -> bytes: ...

    def decode(self, body: bytes) -> str:
        """The answer's text; raises `ModelFailed` for one that is unreadable, cut short or refused."""
        ...


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct, frozen=True):
    choices: Sequence[_Choice]


class OpenAiCodec:
    """OpenAI Chat Completions."""

    def __init__(self, base_url: str, key: str, model: str) -> None:
        self.url = base_url.rstrip("/") + "/chat/completions"
        self.headers: Mapping[str, str] = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._model = model
        # OpenAI itself refuses the old name for its newer models; others know no other one.
        self._limit = "max_completion_tokens" if base_url.startswith(_OPENAI) else "max_tokens"

    def encode(self, prompt: Prompt) -> bytes:
        return msgspec.json.encode(
            {
                "model": self._model,
                "messages": [
                    {"role": "system", "content": prompt.system},
                    {"role": "user", "content": prompt.user},
                ],
                self._limit: prompt.max_tokens,
            }
        )

    def decode(self, body: bytes) -> str:
        answer = _decoded(body, _Completion)
        if not answer.choices:
            raise ModelFailed("the model's answer has no choice in it")
        choice = answer.choices[0]
        return _whole(choice.message.content or "", choice.finish_reason, "stop")


class _Block(msgspec.Struct, frozen=True):
    type: str
    text: str = ""


class _Reply(msgspec.Struct, frozen=True):
    content: Sequence[_Block]
    stop_reason: str | None = None


class AnthropicCodec:
    """Anthropic Messages."""

    def __init__(self, base_url: str, key: str, model: str) -> None:
        self.url = base_url.rstrip("/") + "/v1/messages"
        self.headers: Mapping[str, str] = {
            "x-api-key": key,
            "anthropic-version": _ANTHROPIC_VERSION,
            "Content-Type": "application/json",
        }
        self._model = model

    def encode(self, prompt: Prompt) -> bytes:
        return msgspec.json.encode(
            {
                "model": self._model,
                "max_tokens": prompt.max_tokens,
                "system": prompt.system,
                "messages": [{"role": "user", "content": prompt.user}],
            }
        )

    def decode(self, body: bytes) -> str:
        answer = _decoded(body, _Reply)
        said = "".join(block.text for block in answer.content if block.type == "text")
        return _whole(said, answer.stop_reason, "end_turn")


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelFailed("the model's answer is not in its provider's wire format") from error


def _whole(text: str, ended: str | None, wanted: str) -> str:
    """The text, if the model came to its end by itself."""
    if ended != wanted:
        raise ModelFailed(f"the model's answer is not whole: it ended with {str(ended)[:40]!r}")
    return text
