"""Training of large sets by scikit-learn: LinearSVC, the solver of LIBLINEAR, on the same features as `small`."""

from typing import Any, Final, cast

import numpy as np
from sklearn.svm import LinearSVC  # pyright: ignore[reportMissingTypeStubs] it has none

from steward.services.support.understanding.features import Found, part_of
from steward.services.support.understanding.model import Model
from steward.services.support.understanding.training.calibrating import COST, MOST_FEATURES, Held, Matrix, made
from steward.services.support.understanding.training.examples import Chosen, Examples, Labels
from steward.services.support.understanding.training.program import answer
from steward.services.support.understanding.training.sparse import Sparse, sparse
from steward.services.support.understanding.weighting import Values, vocabulary_of, weigh

_FOLDS: Final = 8
"""One of them is held out for the calibration."""
_TOLERANCE: Final = 1e-3
_BINARY: Final = 2


def train(data: Examples, found: Found) -> Model:
    """A model of these examples, whose features were found; a minute for 20,000 examples of 200 intents."""
    count = len(data.labels)
    held = _held_out(found, data, data.folds(_FOLDS) == 0)
    vocabulary = vocabulary_of(found, count, MOST_FEATURES)
    rows = weigh(found, count, vocabulary)
    weights, bias = _solved(sparse(rows, len(vocabulary.hashes)), data.labels, len(data.intents))
    return made(data, vocabulary, weights, bias, held)


def _held_out(found: Found, data: Examples, out: Chosen) -> Held:
    """A part of the examples scored by a model of the others."""
    training = int((~out).sum())
    vocabulary = vocabulary_of(part_of(found, ~out), training, MOST_FEATURES)
    rows = weigh(part_of(found, ~out), training, vocabulary)
    weights, bias = _solved(sparse(rows, len(vocabulary.hashes)), data.labels[~out], len(data.intents))
    asked = weigh(part_of(found, out), int(out.sum()), vocabulary)
    return Held(sparse(asked, len(vocabulary.hashes)) @ weights + bias, asked.covered, data.labels[out])


def _solved(matrix: Sparse, labels: Labels, intents: int) -> tuple[Matrix, Values]:
    """Weights, a column for each intent, and the bias of each; an intent without an example gets none."""
    svm: Any = LinearSVC(C=COST, tol=_TOLERANCE)
    svm.fit(matrix, labels)
    found = cast("list[int]", svm.classes_.tolist())
    solution, offset = svm.coef_.T.astype(np.float32), svm.intercept_.astype(np.float32)
    if len(found) == _BINARY:
        # Of two classes LinearSVC gives the second one's weights only.
        solution, offset = np.hstack((-solution, solution)), np.concatenate((-offset, offset))
    weights = np.zeros((solution.shape[0], intents), dtype=np.float32)
    bias = np.full(intents, -1, dtype=np.float32)
    weights[:, found], bias[found] = solution, offset
    return weights, bias


if __name__ == "__main__":
    answer(train)
