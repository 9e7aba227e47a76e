"""Starts training programs: each set in a process of its own, which ends with it."""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Final

from steward.services.support.understanding.features import Found, found_in
from steward.services.support.understanding.model import Model
from steward.services.support.understanding.training.examples import Examples, examples_of
from steward.services.support.understanding.training.program import request_of

SMALL: Final = 2000
"""Examples up to which a set is small: above, its own solver is slower than scikit-learn with its import."""
LONGEST: Final = 900.0
"""Seconds after which a training is given up."""
_HERE: Final = __name__.rpartition(".")[0]
_SMALL: Final = "small"
_LARGE: Final = "large"
_TAIL: Final = 300


class TrainingFailed(Exception):
    """A training program ended without a model; the message has the end of what it said."""


class Trainer:
    """Trains one small and one large set at a time: each takes a processor, and some 100 MB or more."""

    def __init__(self) -> None:
        self._turns = {_SMALL: asyncio.Lock(), _LARGE: asyncio.Lock()}

    @property
    def busy(self) -> bool:
        """Whether a program runs."""
        return any(turn.locked() for turn in self._turns.values())

    async def train(self, examples: Sequence[tuple[str, Sequence[str]]], outside: str = "") -> Model:
        """A model of these intents, the name and examples of each; raises `TrainingFailed`."""
        data, found = await asyncio.to_thread(_prepared, examples, outside)
        program = _LARGE if found is None else _SMALL
        async with self._turns[program]:
            encoded = await _run(f"{_HERE}.{program}", request_of(data, found))
        return await asyncio.to_thread(Model.decode, encoded)


def _prepared(examples: Sequence[tuple[str, Sequence[str]]], outside: str) -> tuple[Examples, Found | None]:
    """Of a small set also its features: the server has the Chinese dictionary, which takes a program 0.6 s to load."""
    data = examples_of(examples, outside)
    return data, found_in(data.texts) if len(data.texts) <= SMALL else None


async def _run(program: str, request: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        program,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # A single thread: the solvers gain little from more, and the server wants the rest.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(LONGEST):
            answer, said = await process.communicate(request)
    except TimeoutError as error:
        raise TrainingFailed(f"the training took longer than {LONGEST:.0f} s: give fewer examples") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not answer:
        tail = said.decode(errors="replace").strip()[-_TAIL:]
        raise TrainingFailed(f"the training ended with status {process.returncode}: {tail}")
    return answer
