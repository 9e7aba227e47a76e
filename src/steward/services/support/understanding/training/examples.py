"""The examples that a classifier is trained from."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from steward.kit.text import fold

Labels = NDArray[np.int64]
Chosen = NDArray[np.bool_]


class Examples(NamedTuple):
    """Examples and the number of each one's intent."""

    texts: Sequence[str]
    """Empty where their features are given instead."""
    labels: Labels
    intents: Sequence[str]
    outside: str
    """The intent that means none of the others; empty where there is none."""

    @property
    def targets(self) -> NDArray[np.float32]:
        """For each example and intent 1 where it is of it, -1 where not."""
        return np.where(self.labels[:, None] == np.arange(len(self.intents)), np.float32(1), np.float32(-1))

    def folds(self, count: int) -> Labels:
        """A part for each example, such that every part has some of each intent that has enough of them."""
        order = np.argsort(self.labels, kind="stable")
        ordered = self.labels[order]
        ranks = np.empty_like(self.labels)
        ranks[order] = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
        return (ranks + self.labels) % count


def examples_of(given: Sequence[tuple[str, Sequence[str]]], outside: str = "") -> Examples:
    """Each different example of an intent once."""
    texts: list[str] = []
    labels: list[int] = []
    for label, (_, own) in enumerate(given):
        different = list({fold(text): text for text in own}.values())
        texts += different
        labels += [label] * len(different)
    return Examples(texts, np.array(labels, dtype=np.int64), [name for name, _ in given], outside)
