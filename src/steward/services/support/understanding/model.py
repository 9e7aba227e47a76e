"""A trained classifier of intents: what it holds, its form as bytes, and what it says of a text.

A linear model over TF-IDF features, one score an intent. The weights are whole numbers of 8 bits with one scale for
each feature: a quarter of the memory, and faster than 16-bit floats, which numpy converts slowly. Scores become
confidences by a softmax at a temperature, damped where less of the text is known than usual; both are fitted to scores
of examples that were held out. Below `least` the model is unsure.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from steward.services.support.understanding.features import Hashes, found_in
from steward.services.support.understanding.weighting import Rows, Values, Vocabulary, vocabulary, weigh

FORM: Final = 1
"""Of the bytes; a model of another form is trained anew."""
SLICE: Final = 100
"""Texts classified at once: a few milliseconds."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How scores become confidences."""

    sharpness: float
    """One over the temperature of the softmax."""
    usual: float
    """How much of a new text is known as a rule; less than that damps."""
    least: float
    """Confidence below which the model is unsure."""


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """What a model says of a text."""

    intent: str
    confidence: float
    unsure: bool


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """The model as bytes: msgpack, arrays little-endian."""

    form: int
    intents: list[str]
    outside: str
    calibration: Calibration
    accuracy: float
    hashes: bytes
    rarity: bytes
    weights: bytes
    scales: bytes
    bias: bytes


class Model:
    """A classifier; may be used in several threads."""

    def __init__(
        self,
        *,
        intents: Sequence[str],
        outside: str,
        vocabulary: Vocabulary,
        weights: NDArray[np.int8],
        scales: Values,
        bias: Values,
        calibration: Calibration,
        accuracy: float,
    ) -> None:
        self.intents = intents
        self.outside = outside
        """The intent that stands for none of the others, where one was trained; empty where not."""
        self.vocabulary = vocabulary
        self.weights = weights
        """A row for each feature, a column for each intent."""
        self.scales = scales
        self.bias = bias
        self.calibration = calibration
        self.accuracy = accuracy
        self._inside = np.array([name != outside for name in intents])

    def guess(self, text: str) -> Guess:
        """The intent of one text."""
        return next(self._guesses([text]))

    def guesses(self, texts: Sequence[str]) -> list[Guess]:
        """The intents of texts, in slices between which other threads get their turn."""
        return [guess for first in range(0, len(texts), SLICE) for guess in self._guesses(texts[first : first + SLICE])]

    def confidences(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """For each text the confidence in each intent."""
        rows = weigh(found_in(texts), len(texts), self.vocabulary)
        return confidences_of(self.scores(rows), rows.covered, self.calibration)

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        values = rows.values * self.scales[rows.columns]
        scores = np.empty((len(rows.starts) - 1, len(self.intents)), dtype=np.float32)
        for number in range(len(scores)):
            first, end = rows.starts[number], rows.starts[number + 1]
            chosen = self.weights.take(rows.columns[first:end], axis=0)
            scores[number] = values[first:end] @ chosen.astype(np.float32)
        return scores + self.bias

    @property
    def size(self) -> int:
        """Bytes in memory."""
        known = self.vocabulary
        return sum(each.nbytes for each in (known.hashes, known.rarity, self.weights, self.scales, self.bias))

    def encode(self) -> bytes:
        return msgspec.msgpack.encode(
            _Stored(
                form=FORM,
                intents=list(self.intents),
                outside=self.outside,
                calibration=self.calibration,
                accuracy=self.accuracy,
                hashes=self.vocabulary.hashes.astype("<u4").tobytes(),
                rarity=self.vocabulary.rarity.astype("<f4").tobytes(),
                weights=self.weights.tobytes(),
                scales=self.scales.astype("<f4").tobytes(),
                bias=self.bias.astype("<f4").tobytes(),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> "Model":
        """The model of these bytes; raises `ModelUnreadable` for bytes of another form, or cut off."""
        try:
            stored = msgspec.msgpack.decode(data, type=_Stored)
            if stored.form != FORM:
                raise ModelUnreadable(f"it is of form {stored.form}, this version reads {FORM}")
            weights = np.frombuffer(stored.weights, dtype=np.int8).reshape(-1, len(stored.intents))
        except (msgspec.MsgspecError, ValueError) as error:
            raise ModelUnreadable(str(error)) from error
        hashes: Hashes = np.frombuffer(stored.hashes, dtype="<u4").astype(np.uint32, copy=False)
        return cls(
            intents=stored.intents,
            outside=stored.outside,
            vocabulary=vocabulary(hashes, np.frombuffer(stored.rarity, dtype="<f4")),
            weights=weights,
            scales=np.frombuffer(stored.scales, dtype="<f4"),
            bias=np.frombuffer(stored.bias, dtype="<f4"),
            calibration=stored.calibration,
            accuracy=stored.accuracy,
        )

    def _guesses(self, texts: Sequence[str]) -> Iterator[Guess]:
        confidences = self.confidences(texts)
        best = confidences.argmax(axis=1)
        names = list(self.intents)
        inside = np.where(self._inside, confidences, -1).argmax(axis=1)
        for number, (first, named) in enumerate(zip(map(int, best), map(int, inside), strict=True)):
            confidence = float(confidences[number, named])
            unsure = first != named or confidence < self.calibration.least
            yield Guess(intent=names[named], confidence=round(confidence, 4), unsure=unsure)


class ModelUnreadable(Exception):
    """The bytes are no model that this version can read."""


def confidences_of(scores: NDArray[np.float32], covered: Values, calibration: Calibration) -> NDArray[np.float32]:
    """Confidences from scores: softmax at the fitted temperature, times what is known of the text."""
    raised = calibration.sharpness * (scores - scores.max(axis=1, keepdims=True))
    powers = np.exp(raised)
    damping = np.minimum(covered / calibration.usual, 1) ** 2
    return powers * (damping / powers.sum(axis=1))[:, None]
