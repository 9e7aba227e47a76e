"""Reasoning in messages: how providers name it, and how it is told to one that did not write it.

OpenAI's own Chat Completions never show reasoning. Providers that follow it put the text in `reasoning_content`
(DeepSeek, vLLM, Moonshot) or `reasoning` (OpenRouter, Groq), and what else belongs to it in fields such as
`reasoning_details`. `Reasoning.extra` keeps those fields, and has the field's name with null where that is not
`reasoning_content`, so that it is told as it was named.

Thinking that Anthropic signed or encrypted is told clients of this dialect in `thinking_blocks`, a list of Anthropic's
own blocks, beside its text in `reasoning_content`; a message that brings them back is understood.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import Dialect, Reasoning
from steward.services.models.wire.openai.fields import EMPTY_LIST, NULL, Fields, begins, encode, take, text_of

USUAL: Final = "reasoning_content"
NAMES: Final = (USUAL, "reasoning")
DETAILS: Final = "reasoning_details"
BLOCKS: Final = "thinking_blocks"
BETWEEN: Final = "\n\n"


class _Block(msgspec.Struct, tag_field="type", forbid_unknown_fields=True):
    pass


class _Thinking(_Block, tag="thinking"):
    thinking: str
    signature: str | None = None


class _Redacted(_Block, tag="redacted_thinking"):
    data: str


_BLOCKS: Final = msgspec.json.Decoder(list[_Thinking | _Redacted])


def take_reasoning(fields: Fields, path: str, *, empty: bool) -> list[Reasoning]:
    """Take the reasoning out of a message's fields.

    `empty`: whether an empty text is one, as in requests to DeepSeek, which wants the field with each tool call of its.
    """
    blocks = _take_blocks(fields)
    texts = {name: text for name in NAMES if (text := _take_said(fields, name, path)) is not None and (text or empty)}
    extra: Fields = {}
    for name in (DETAILS, BLOCKS):
        raw = take(fields, name)
        if raw is not None and raw != EMPTY_LIST:
            extra[name] = raw
    if blocks:
        texts = {name: text for name, text in texts.items() if text and text != readable(blocks)}
    if not texts and not extra:
        return blocks
    text = next(iter(texts.values()), "")
    if texts.keys() != {USUAL}:
        extra.update({name: NULL if said == text else msgspec.Raw(encode(said)) for name, said in texts.items()})
    return [*blocks, Reasoning(text=text, extra=extra)]


def _take_said(fields: Fields, name: str, path: str) -> str | None:
    """A field's text; one that is no string, such as an object of some provider, stays where it is."""
    raw = fields.get(name)
    if raw is None or not (raw == NULL or begins(raw, b'"')):
        return None
    del fields[name]
    return None if raw == NULL else text_of(raw, f"{path}.{name}")


def _take_blocks(fields: Fields) -> list[Reasoning]:
    raw = fields.get(BLOCKS)
    if raw is None:
        return []
    try:
        blocks = _BLOCKS.decode(raw)
    except msgspec.DecodeError:
        return []
    del fields[BLOCKS]
    return [
        Reasoning(redacted=block.data)
        if isinstance(block, _Redacted)
        else Reasoning(text=block.thinking, signature=block.signature or "")
        for block in blocks
    ]


def readable(parts: Iterable[Reasoning]) -> str:
    """The text that can be read, summaries where there is no other."""
    return BETWEEN.join(text for part in parts if (text := part.text or BETWEEN.join(part.summary)))


def blocks_of(parts: Iterable[Reasoning]) -> list[_Block]:
    """What Anthropic wants back as it was: signed and redacted thinking."""
    return [
        _Redacted(data=part.redacted) if part.redacted else _Thinking(thinking=part.text, signature=part.signature)
        for part in parts
        if part.redacted or part.signature is not None
    ]


def name_fields(part: Reasoning) -> dict[str, object]:
    """A reasoning of this dialect under the names that its provider gave it."""
    named = [name for name in NAMES if part.extra.get(name) == NULL] or [USUAL]
    told: dict[str, object] = dict.fromkeys(named, part.text) if part.text or not part.extra.keys() - NAMES else {}
    told.update({name: raw for name, raw in part.extra.items() if name not in named})
    return told


def write_reasoning(
    parts: list[Reasoning], dialect: Dialect | None, path: str, *, newer: bool
) -> tuple[dict[str, object], str]:
    """A message's fields for its reasoning, and the text that must stand in its content instead.

    - What came in this dialect goes back under its own names, signed blocks as `thinking_blocks`.
    - Another dialect's text is told as `reasoning_content`; its signature means nothing to another provider.
    - OpenAI itself (`newer`) refuses unknown fields: there, such text is told between `<think>` tags in the content.
    - Reasoning that is only encrypted cannot be said by anybody else: `CannotExpress`.
    """
    told: dict[str, object] = {}
    own = dialect is Dialect.OPENAI or (dialect is None and not newer)
    others: list[Reasoning] = []
    for part in parts:
        if not own or _is_sealed(part):
            others.append(part)
            continue
        for name, value in name_fields(part).items():
            told[name] = _joined(told.get(name), value)
    if not others:
        return told, ""
    if own and not newer and all(part.signature is not None or part.redacted for part in others):
        told[BLOCKS] = blocks_of(others)
    else:
        _refuse_unreadable(others, path)
    text = readable(others)
    if newer or not text:
        return told, text
    told[USUAL] = _joined(told.get(USUAL), text)
    return told, ""


def _is_sealed(part: Reasoning) -> bool:
    return part.signature is not None or bool(part.redacted or part.encrypted or part.summary)


def _refuse_unreadable(parts: Iterable[Reasoning], path: str) -> None:
    for part in parts:
        if not part.text and not part.summary and _is_sealed(part):
            raise CannotExpress(f"{path}.reasoning", Dialect.OPENAI.value)
        if odd := next((name for name, raw in part.extra.items() if raw != NULL), None):
            raise CannotExpress(f"{path}.{odd}", Dialect.OPENAI.value)


def _joined(before: object, value: object) -> object:
    if isinstance(before, str) and isinstance(value, str):
        return before + BETWEEN + value
    if isinstance(before, msgspec.Raw) and isinstance(value, msgspec.Raw):
        return joined_lists(before, value)
    return value


def joined_lists(before: msgspec.Raw, more: msgspec.Raw) -> msgspec.Raw:
    """One list after another; what is no list is taken as it was said last."""
    first, second = bytes(before).strip(), bytes(more).strip()
    if not (first.startswith(b"[") and second.startswith(b"[")):
        return more
    inner = [part for part in (first[1:-1].strip(), second[1:-1].strip()) if part]
    return msgspec.Raw(b"[" + b",".join(inner) + b"]")
