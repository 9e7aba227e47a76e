"""A reply cut into the tokens that a model would say it in; the dialects write them down."""

from collections.abc import Sequence

import msgspec

from steward.kit.testing.provider.replies import Call, Reply, Tokens


class SpokenPart(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    """`reasoning`, `text`, `refusal` or `call`."""
    pieces: Sequence[str]
    call: Call | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Speech(msgspec.Struct, frozen=True, kw_only=True):
    """What is said, token by token."""

    id: str
    model: str
    parts: Sequence[SpokenPart]
    reply: Reply
    cut: bool
    """Whether it ended at the limit of tokens."""
    billed: Tokens
    made: int
    """Pieces, of which each is a token unless the reply's usage says otherwise."""

    @property
    def told(self) -> Tokens:
        return self.reply.told or self.billed

    def output_at(self, pieces: int) -> int:
        """Tokens that were made when so many pieces were said."""
        return self.billed.output if pieces >= self.made else -(-self.billed.output * pieces // self.made)


class Event(msgspec.Struct, frozen=True):
    """One server-sent event, and the pieces that were said with it and before it."""

    data: bytes
    pieces: int = 0


def speak(reply: Reply, *, number: int, model: str, prefix: str, asked_max: int | None, read: int) -> Speech:
    """Cut a reply; `read` is the size of the request in bytes, of which four are a token."""
    parts = _parts(reply)
    cut = False
    if reply.heeds_max and asked_max is not None:
        parts, cut = _limited(parts, asked_max)
    made = sum(len(part.pieces) for part in parts)
    thought = sum(len(part.pieces) for part in parts if part.kind == "reasoning")
    billed = reply.usage or Tokens(input=read // 4 + 1, output=made, reasoning=thought)
    if reply.usage and reply.heeds_max and asked_max is not None and billed.output > asked_max:
        billed = msgspec.structs.replace(billed, output=asked_max, reasoning=min(billed.reasoning, asked_max))
        cut = True
    return Speech(id=f"{prefix}{number:012d}", model=model, parts=parts, reply=reply, cut=cut, billed=billed, made=made)


def _parts(reply: Reply) -> Sequence[SpokenPart]:
    parts: list[SpokenPart] = []
    for kind, text in (("reasoning", reply.reasoning), ("text", reply.text), ("refusal", reply.refusal)):
        if text:
            parts.append(SpokenPart(kind=kind, pieces=_pieces(text, reply.piece)))
    for place, call in enumerate(reply.calls):
        named = msgspec.structs.replace(call, id=call.id or f"call_{place}_{call.name}")
        parts.append(SpokenPart(kind="call", pieces=_pieces(call.arguments, reply.piece), call=named))
    return parts


def _pieces(text: str, size: int) -> Sequence[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def _limited(parts: Sequence[SpokenPart], most: int) -> tuple[Sequence[SpokenPart], bool]:
    left = most
    kept: list[SpokenPart] = []
    for part in parts:
        if left <= 0:
            return kept, True
        kept.append(msgspec.structs.replace(part, pieces=part.pieces[:left]))
        left -= len(part.pieces)
    return kept, left < 0
