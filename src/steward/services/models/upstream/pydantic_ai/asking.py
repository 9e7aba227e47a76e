"""Our messages in the library's words."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from steward.services.models.messages import (
    Audio,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from steward.services.models.upstream.pydantic_ai.library import Library, inexpressible

if TYPE_CHECKING:
    from pydantic_ai import messages as theirs

_AUDIO: Mapping[str, str] = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_PDF = "application/pdf"


class Asking:
    """Turns the messages of one request; `system` is the library's name of the provider, whose signatures it knows."""

    def __init__(self, library: Library, system: str) -> None:
        self._library = library
        self._theirs = library.messages
        self._system = system
        self._called: dict[str, str] = {}

    def messages(self, messages: Sequence[Message]) -> "list[theirs.ModelMessage]":
        """All of them. Raises `CannotExpress`."""
        made: list[theirs.ModelMessage] = []
        for place, message in enumerate(messages):
            at = f"messages[{place}]"
            if message.extra or message.name:
                raise inexpressible(f"{at}.{next(iter(message.extra), 'name')}")
            if message.role is Role.ASSISTANT:
                made.append(self._theirs.ModelResponse(parts=[self._said(part, at) for part in message.parts]))
                continue
            parts = list(self._asked(message, at))
            if made and isinstance(made[-1], self._theirs.ModelRequest):
                made[-1] = self._theirs.ModelRequest(parts=[*made[-1].parts, *parts])
            else:
                made.append(self._theirs.ModelRequest(parts=parts))
        return made

    def _asked(self, message: Message, at: str) -> "Iterator[theirs.ModelRequestPart]":
        if message.role in {Role.SYSTEM, Role.DEVELOPER}:
            for part in message.parts:
                if not isinstance(part, Text) or part.extra:
                    raise inexpressible(f"{at}.content")
                yield self._theirs.SystemPromptPart(content=part.text)
            return
        contents: list[theirs.UserContent] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield self._result(part, at)
            else:
                contents.append(self._content(part, at))
        if contents:
            alone = contents[0] if len(contents) == 1 and isinstance(contents[0], str) else contents
            yield self._theirs.UserPromptPart(content=alone)

    def _result(self, part: ToolResult, at: str) -> "theirs.ToolReturnPart":
        if part.custom or part.extra:
            raise inexpressible(f"{at}.content")
        contents = [self._content(one, at) for one in part.content]
        texts = [one for one in contents if isinstance(one, str)]
        return self._theirs.ToolReturnPart(
            tool_name=self._called.get(part.call_id, "unknown"),
            content="".join(texts) if len(texts) == len(contents) else contents,
            tool_call_id=part.call_id,
            outcome="failed" if part.is_error else "success",
        )

    def _content(self, part: Part, at: str) -> "str | theirs.BinaryContent":
        if part.extra:
            raise inexpressible(f"{at}.content.{next(iter(part.extra))}")
        match part:
            case Text(text=text) | File(text=str(text)):
                return text
            case Image(data=str(data), media_type=str(media_type)):
                return self._binary(data, media_type, at)
            case File(data=str(data), media_type=media_type):
                return self._binary(data, media_type or _PDF, at)
            case Audio(data=data, format=form):
                return self._binary(data, _AUDIO.get(form, f"audio/{form}"), at)
            case _:
                # Addresses are not followed: the library would fetch them from within this process.
                raise inexpressible(f"{at}.content of kind {_kind(part)}")

    def _binary(self, data: str, media_type: str, at: str) -> "theirs.BinaryContent":
        try:
            return self._theirs.BinaryContent(data=b64decode(data, validate=True), media_type=media_type)
        except NotBase64 as error:
            raise inexpressible(f"{at}.content, which is not base64,") from error

    def _said(self, part: Part, at: str) -> "theirs.ModelResponsePart":
        if part.extra:
            raise inexpressible(f"{at}.content.{next(iter(part.extra))}")
        match part:
            case Text(text=text) | Refusal(text=text):
                return self._theirs.TextPart(content=text)
            case Reasoning():
                return self._thought(part)
            case ToolCall(custom=False):
                self._called[part.id] = part.name
                return self._theirs.ToolCallPart(tool_name=part.name, args=part.arguments, tool_call_id=part.id)
            case _:
                raise inexpressible(f"{at}.content of kind {_kind(part)}")

    def _thought(self, part: Reasoning) -> "theirs.ThinkingPart":
        if part.redacted is not None:
            return self._theirs.ThinkingPart(
                content="", id="redacted_thinking", signature=part.redacted, provider_name=self._system
            )
        return self._theirs.ThinkingPart(
            content=part.text or "\n\n".join(part.summary),
            id=part.id,
            signature=part.signature or part.encrypted,
            provider_name=self._system if part.signature or part.encrypted else None,
        )


def _kind(part: Part) -> str:
    return type(part).__name__.lower()
