"""Accuracy of the intent classifier on public sets beside TF-IDF with a linear SVM, and what training and asking cost.

The floor is scikit-learn's `TfidfVectorizer` (words) with `LinearSVC`, fitted to the same examples in this run. Sets
are read from `../shared/data/intents` (or the folder in STEWARD_INTENT_DATA); those that are missing are said to be.
Out-of-scope recall: of CLINC150's `oos` texts the share under the lowest confidence at which 95 % of all answers given
(out-of-scope texts answered count as wrong) are right. Run with `src` and the repository's root on PYTHONPATH; the last
line is JSON.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from steward.kit.text import load
from steward.services.support.understanding.model import Model
from steward.services.support.understanding.shipped import OUTSIDE, shipped_examples
from steward.services.support.understanding.training.trainer import Trainer

DATA = Path(os.environ.get("STEWARD_INTENT_DATA", Path(__file__).parents[2] / "shared" / "data" / "intents"))
OOS = "oos"
FEW = 10
PRECISION = 0.95
TITLES = ("examples", "floor %", "ours %", "CV %", "train s", "CPU s", "MB", "us", "us/1000")
Rows = list[tuple[str, str]]


class Split(NamedTuple):
    name: str
    train: Rows
    test: Rows
    foreign: Rows


def rows(name: str) -> Rows:
    lines = (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [(row["text"], row["label"]) for row in map(json.loads, lines)]


def few(given: Rows, count: int) -> Rows:
    """So many examples of each intent."""
    left: dict[str, int] = {}
    mixed = random.Random(1).sample(given, len(given))
    return [row for row in mixed if left.setdefault(row[1], count) > 0 and not left.update({row[1]: left[row[1]] - 1})]


def splits() -> list[Split]:
    clinc = [row for row in rows("clinc150.train") if row[1] != OOS]
    valid = rows("clinc150.val")
    inside, outside = [row for row in valid if row[1] != OOS], [row for row in valid if row[1] == OOS]
    bitext = random.Random(0).sample(all_bitext := rows("bitext_support"), len(all_bitext))
    fifth = len(bitext) // 5
    hwu = rows("hwu64.train")
    return [
        Split("clinc150", clinc, inside, outside),
        Split("hwu64", hwu, rows("hwu64.test"), []),
        Split("bitext", bitext[fifth:], bitext[:fifth], []),
        Split("clinc150_7each", few(clinc, 7), inside, outside),
        Split("hwu64_10each", few(hwu, FEW), rows("hwu64.test"), []),
        Split("bitext_8each", few(bitext[fifth:], 8), bitext[:fifth], []),
    ]


def grouped(given: Rows) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for text, label in given:
        found.setdefault(label, []).append(text)
    return list(found.items())


def floor(split: Split) -> float:
    vectorizer: Any = TfidfVectorizer()
    svm: Any = LinearSVC().fit(
        vectorizer.fit_transform([text for text, _ in split.train]), [row[1] for row in split.train]
    )
    guessed = svm.predict(vectorizer.transform([text for text, _ in split.test]))
    return float(np.mean([guess == label for guess, (_, label) in zip(guessed, split.test, strict=True)]))


def accuracy(model: Model, test: Rows) -> float:
    guesses = model.guesses([text for text, _ in test])
    return float(np.mean([guess.intent == label for guess, (_, label) in zip(guesses, test, strict=True)]))


def oos_recall(model: Model, split: Split) -> dict[str, float]:
    """Of the foreign texts what is told to be foreign, at 95 % precision and by the model's own limit."""
    inside = model.guesses([text for text, _ in split.test])
    outside = model.guesses([text for text, _ in split.foreign])
    right = [guess.intent == label for guess, (_, label) in zip(inside, split.test, strict=True)] + [False] * len(
        outside
    )
    sure = np.array([guess.confidence for guess in (*inside, *outside)])
    order = np.argsort(-sure, kind="stable")
    precision = np.cumsum(np.array(right)[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(precision >= PRECISION)
    limit = sure[order[good[-1]]] if len(good) else 1.0
    return {
        "recall": float(np.mean([guess.confidence < limit for guess in outside])),
        "answered": float(np.mean([guess.confidence >= limit for guess in inside])),
        "own_recall": float(np.mean([guess.unsure for guess in outside])),
        "own_answered": float(np.mean([not guess.unsure for guess in inside])),
    }


def cost(model: Model, texts: Sequence[str]) -> dict[str, float]:
    """Microseconds of CPU a text, one at a time and a thousand together."""
    thousand = [texts[number % len(texts)] for number in range(1000)]
    started = time.process_time()
    for text in thousand:
        model.guess(text)
    single = time.process_time() - started
    started = time.process_time()
    model.guesses(thousand)
    return {"single": single * 1e3, "batch": (time.process_time() - started) * 1e3}


def children_cpu() -> float:
    used = os.times()
    return used.children_user + used.children_system + used.user + used.system


async def main() -> None:
    """Measure and print."""
    load()
    trainer, result = Trainer(), {}
    print(f"{'set':16}" + "".join(f"{title:>10}" for title in TITLES))
    for split in splits():
        cpu, started = children_cpu(), time.perf_counter()
        model = await trainer.train(grouped(split.train))
        seconds, used = time.perf_counter() - started, children_cpu() - cpu
        ours, least, asked = accuracy(model, split.test), floor(split), cost(model, [text for text, _ in split.test])
        figures = (len(split.train), least * 100, ours * 100, model.accuracy * 100, seconds, used, model.size / 1e6)
        print(f"{split.name:16}" + "".join(f"{each:10.4g}" for each in (*figures, *asked.values())))
        result |= {f"{split.name}_accuracy": round(ours, 4), f"{split.name}_floor": round(least, 4)}
        result |= {f"{split.name}_train_s": round(seconds, 2), f"{split.name}_train_cpu_s": round(used, 2)}
        result |= {f"{split.name}_{name}_us": round(value, 1) for name, value in asked.items()}
        if split.foreign:
            told = oos_recall(model, split)
            print("  out of scope: " + ", ".join(f"{name} {value:.3f}" for name, value in told.items()))
            result |= {f"{split.name}_oos_{name}": round(value, 3) for name, value in told.items()}
    shipped = await trainer.train(list(shipped_examples().items()), OUTSIDE)
    result["shipped_cv_accuracy"] = round(shipped.accuracy, 4)
    result["oos_recall_at_95_precision"] = result["clinc150_oos_recall"]
    print(json.dumps(result))


if __name__ == "__main__":
    if not DATA.is_dir():
        sys.exit(f"no intent sets at {DATA}: name their folder in STEWARD_INTENT_DATA")
    asyncio.run(main())
