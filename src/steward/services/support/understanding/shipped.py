"""The classifier that Steward ships: its examples, and its model, trained once and kept as a file."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from steward.kit.text import load
from steward.services.support.api import IntentSummary
from steward.services.support.understanding.model import FORM, Model, ModelUnreadable
from steward.services.support.understanding.training.trainer import Trainer

OUTSIDE: Final = "none"
"""The examples of what none of the intents is."""
DATA: Final = Path(__file__).parent / "data"
_HEADING: Final = "# "


def shipped_examples() -> Mapping[str, Sequence[str]]:
    """The examples of each intent, of all languages; a line `# name` begins those of an intent."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for path in sorted(DATA.glob("examples.*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith(_HEADING):
                current = found.setdefault(line.removeprefix(_HEADING).strip(), [])
            elif line.strip():
                current.append(line.strip())
    return found


class Shipped:
    """Has the shipped model trained, or read from its file, while the platform starts."""

    def __init__(self, trainer: Trainer, folder: Path) -> None:
        self._trainer = trainer
        self._folder = folder
        self._examples = shipped_examples()
        self._task: asyncio.Task[Model] | None = None

    @property
    def intents(self) -> Sequence[IntentSummary]:
        return [IntentSummary(name=name, examples=len(own)) for name, own in self._examples.items() if name != OUTSIDE]

    async def start(self) -> None:
        """Begin; does not wait."""
        if self._task is None:
            self._task = asyncio.create_task(self._load(), name="support-shipped-intents")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def model(self) -> Model:
        """The model, as soon as it is there; raises `TrainingFailed`. The next call tries again then."""
        if self._task is None or (self._task.done() and (self._task.cancelled() or self._task.exception())):
            self._task = asyncio.create_task(self._load(), name="support-shipped-intents")
        # Whoever waits and gives up must not take the training along.
        return await asyncio.shield(self._task)

    async def _load(self) -> Model:
        # Chinese is segmented on the event loop, which must not wait for the dictionary.
        await asyncio.to_thread(load)
        path = self._folder / f"intents-{self._digest()}.model"
        found = await asyncio.to_thread(_read, path)
        if found is None:
            found = await self._trainer.train(list(self._examples.items()), OUTSIDE)
            await asyncio.to_thread(_write, path, found.encode())
        return found

    def _digest(self) -> str:
        """Of all that the model comes from: the examples, and the code that is between them and it."""
        code = Path(__file__).parent
        sources = [code / "features.py", code / "weighting.py", code / "model.py", *(code / "training").glob("*.py")]
        digest = hashlib.sha256(str(FORM).encode())
        for path in (*sorted(DATA.glob("examples.*.txt")), *sorted(sources)):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:32]


def _read(path: Path) -> Model | None:
    """The model in a file; None where there is none that can be read."""
    try:
        return Model.decode(path.read_bytes())
    except (FileNotFoundError, ModelUnreadable):
        return None


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, whoever else writes the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)
