"""Customers who write to the desk at the same time."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID

import aiohttp
import msgspec

from steward.bootstrap.cli.load.figures import Outcome, Step, StepResult, figures
from steward.client import Auth
from steward.kit.clock import Clock
from steward.kit.ids import Ids

MESSAGES: Final = (
    "How long does delivery take?",
    "运费怎么算？",
    "運費怎麼計算？",
    "What is your return policy?",
    "可以开发票吗？",
    "商品有保固嗎？",
    "Which payment methods do you accept?",
    "怎么申请退款？",
    "我的訂單什麼時候會到？",
    "My headphones have no sound.",
)
"""What customers ask, in three scripts."""

_OK: Final = 200


class Target(NamedTuple):
    url: str
    auth: Auth
    timeout_s: float


class _Answer(msgspec.Struct):
    """What of an answer is needed here."""

    session_id: UUID
    from_cache: bool = False


class _Problem(msgspec.Struct):
    code: str = ""


_decode_answer: Final = msgspec.json.Decoder(_Answer).decode
_decode_problem: Final = msgspec.json.Decoder(_Problem).decode


class Crowd:
    """Runs the customers of a step."""

    def __init__(self, target: Target, messages: Sequence[str], clock: Clock, ids: Ids) -> None:
        self._target = target
        self._messages = messages
        self._clock = clock
        self._run = ids.new().hex[-8:]
        self._seen = count(1)

    async def run(self, step: Step, tell: Callable[[], None]) -> StepResult:
        """Send all messages of a step, calling `tell` after each, and measure."""
        headers = {**await self._target.auth.headers(), "Content-Type": "application/json"}
        timeout = aiohttp.ClientTimeout(total=self._target.timeout_s)
        outcomes: list[Outcome] = []

        def done(outcome: Outcome) -> None:
            outcomes.append(outcome)
            tell()

        async with (
            # No limit of connections: what waits for one here would count as the platform's time.
            aiohttp.TCPConnector(limit=0) as connector,
            aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers, trust_env=False) as http,
        ):
            began = self._clock.monotonic()
            async with asyncio.TaskGroup() as group:
                for _ in range(step.customers):
                    group.create_task(self._customer(http, next(self._seen), step.messages, done))
            return figures(step, outcomes, self._clock.monotonic() - began)

    async def _customer(
        self, http: aiohttp.ClientSession, number: int, messages: int, tell: Callable[[Outcome], None]
    ) -> None:
        session: UUID | None = None
        for turn in range(messages):
            # Neighbours ask different things at the same time.
            message = self._messages[(number + turn) % len(self._messages)]
            body = {"message": message, "user_id": f"loadtest-{self._run}-{number}", "session_id": session}
            outcome, session = await self._send(http, body, session)
            tell(outcome)

    async def _send(
        self, http: aiohttp.ClientSession, body: Mapping[str, object], session: UUID | None
    ) -> tuple[Outcome, UUID | None]:
        began = self._clock.monotonic()
        try:
            async with http.post(f"{self._target.url}/api/v1/chat", data=msgspec.json.encode(body)) as response:
                content = await response.read()
            seconds = self._clock.monotonic() - began
            if response.status != _OK:
                return Outcome(seconds, f"{response.status} {_code(content)}".rstrip()), session
            answer = _decode_answer(content)
            return Outcome(seconds, "", answer.from_cache), answer.session_id
        except TimeoutError:
            error = "timeout"
        except aiohttp.ClientError:
            error = "connection"
        except msgspec.MsgspecError:
            error = "unreadable answer"
        return Outcome(self._clock.monotonic() - began, error), session


def _code(content: bytes) -> str:
    try:
        return _decode_problem(content).code
    except msgspec.MsgspecError:
        return ""
