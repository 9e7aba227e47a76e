"""The semantic cache: answers of requests that mean the same, by embeddings, and only within hard bounds.

A question is the last message of the user, in plain text. All the rest of the request, the frame, must be equal to the
byte (instructions, tools, parameters, what was said before, audience), and so must the question's signature (`guards`).
Only then does likeness count. It lives in the process that embedded the question.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from steward.kit.clock import Clock
from steward.kit.ids import TenantId
from steward.services.models.messages import ModelReply, ModelRequest, Role, Text
from steward.services.models.ports import Call
from steward.services.models.sharing.guards import Signature, signature_of
from steward.services.models.sharing.keys import frame_of

Vector = npt.NDArray[np.float32]
Embed = Callable[[Call, str], Awaitable[Sequence[float]]]
"""The vector of a text by the alias's `embeddings`. Raises `AppError`."""

MAX_ENTRIES: Final = 20_000
PER_FRAME: Final = 2_000
MAX_QUESTION: Final = 2_000


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question that may be answered by another one's answer."""

    frame: str
    signature: Signature
    vector: Vector
    """Of length 1."""


class _Kept(msgspec.Struct, frozen=True):
    signature: Signature
    vector: Vector
    reply: ModelReply
    expires: float


class SemanticCache:
    """Answers by meaning, bounded in number; the frame that was asked for longest ago leaves first."""

    def __init__(self, clock: Clock, embed: Embed, *, similarity: float) -> None:
        """`similarity` is the least cosine of two vectors that mean the same."""
        self._clock = clock
        self._embed = embed
        self._similarity = similarity
        self._frames: OrderedDict[tuple[TenantId, str], list[_Kept]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    async def question(self, call: Call) -> Question | None:
        """What a call asks; None where only an equal request may share its answer. Costs an embedding."""
        text = _question_of(call.request)
        if text is None:
            return None
        vector = np.asarray(await self._embed(call, text), dtype=np.float32)
        length = float(np.linalg.norm(vector))
        if not length:
            return None
        rest = msgspec.structs.replace(call.request, messages=call.request.messages[:-1])
        return Question(frame=frame_of(call, rest), signature=signature_of(text), vector=vector / length)

    def find(self, tenant: TenantId, question: Question) -> ModelReply | None:
        """The answer to the likest question, if it is like enough."""
        place = (tenant, question.frame)
        kept = self._frames.get(place)
        if kept is None:
            return None
        self._frames.move_to_end(place)
        now = self._clock.monotonic()
        best, likeness = None, self._similarity
        for one in kept:
            if one.expires <= now or one.signature != question.signature or one.vector.shape != question.vector.shape:
                continue
            cosine = float(one.vector @ question.vector)
            if cosine >= likeness:
                best, likeness = one.reply, cosine
        return best

    def keep(self, tenant: TenantId, question: Question, reply: ModelReply, *, ttl_s: float) -> None:
        """Keep the answer to a question."""
        now = self._clock.monotonic()
        place = (tenant, question.frame)
        before = self._frames.pop(place, [])
        kept = [one for one in before if one.expires > now][-PER_FRAME + 1 :]
        kept.append(_Kept(question.signature, question.vector, reply, now + ttl_s))
        self._frames[place] = kept
        self._count += len(kept) - len(before)
        while self._count > MAX_ENTRIES:
            _, dropped = self._frames.popitem(last=False)
            self._count -= len(dropped)

    def drop_tenant(self, tenant: TenantId) -> None:
        """Forget a tenant's answers."""
        for place in [place for place in self._frames if place[0] == tenant]:
            self._count -= len(self._frames.pop(place))


def _question_of(request: ModelRequest) -> str | None:
    """The last words of the user where they are plain text and the answer is one text."""
    if not request.messages or request.choices != 1:
        return None
    last = request.messages[-1]
    if last.role is not Role.USER or last.extra or not last.parts:
        return None
    pieces: list[str] = []
    for part in last.parts:
        if not isinstance(part, Text) or part.extra:
            return None
        pieces.append(part.text)
    text = "\n".join(pieces).strip()
    return text if 0 < len(text) <= MAX_QUESTION else None
