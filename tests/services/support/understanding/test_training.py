"""Training: the two solvers agree, a model survives its bytes, confidences mean something."""

import asyncio
import random
from collections.abc import Callable

import numpy as np
import pytest

from steward.services.support.understanding.features import Found, found_in
from steward.services.support.understanding.model import Model, ModelUnreadable
from steward.services.support.understanding.shipped import OUTSIDE, shipped_examples
from steward.services.support.understanding.training import large, small
from steward.services.support.understanding.training.examples import Examples, examples_of
from steward.services.support.understanding.training.trainer import Trainer, TrainingFailed
from steward.services.support.understanding.weighting import vocabulary_of, weigh

Solver = Callable[[Examples, Found], Model]
COLOURS = [
    ("warm", ["a red rose", "orange light", "red and orange", "deep red", "bright orange sun", "red wine"]),
    ("cold", ["blue sky", "a green leaf", "blue and green", "deep blue sea", "bright green grass", "blue ice"]),
]


def test_both_solvers_come_to_the_same_model() -> None:
    data = examples_of([(name, own[::3]) for name, own in shipped_examples().items()], OUTSIDE)
    found = found_in(data.texts)
    quick, thorough = small.train(data, found), large.train(data, found)
    asked = [example for own in shipped_examples().values() for example in own[1::6]]
    found = found_in(asked)
    apart = quick.scores(weigh(found, len(asked), quick.vocabulary)) - thorough.scores(
        weigh(found, len(asked), thorough.vocabulary)
    )
    assert np.abs(apart).mean() < 0.01


@pytest.mark.parametrize("solver", [small.train, large.train])
def test_two_intents_are_told_apart(solver: Solver) -> None:
    data = examples_of(COLOURS)
    model = solver(data, found_in(data.texts))
    assert [guess.intent for guess in model.guesses(["dark red", "dark blue"])] == ["warm", "cold"]


@pytest.mark.parametrize("solver", [small.train, large.train])
def test_hardly_any_examples_are_enough_to_train(solver: Solver) -> None:
    data = examples_of([("a", ["yes"]), ("b", ["no"]), ("c", ["  ", "…"])])
    model = solver(data, found_in(data.texts))
    assert [guess.intent for guess in model.guesses(["yes", "no"])] == ["a", "b"]


def test_texts_are_scored_alike_alone_and_together(shipped: Model) -> None:
    texts = ["where is my order", "", "退货", "?", "a" * 8000, "ORD-2026-000123 到哪了", "  "] * 40
    together = shipped.guesses(texts)
    assert together == [shipped.guess(text) for text in texts]


def test_accuracy_is_that_of_models_that_had_not_seen_the_examples() -> None:
    """Of examples without rhyme or reason nothing can be learned, so whatever is guessed beyond chance was leaked."""
    chance = random.Random(7)
    words = [f"{first}{second}" for first in "bdfgklmnprst" for second in ("ab", "el", "in", "or", "uk")]
    given = [(f"intent {n}", [" ".join(chance.sample(words, 6)) for _ in range(8)]) for n in range(30)]
    data = examples_of(given)
    assert small.train(data, found_in(data.texts)).accuracy < 0.08


def test_a_model_is_the_same_after_its_bytes(shipped: Model) -> None:
    again = Model.decode(shipped.encode())
    texts = ["where is my order", "我要退货", "謝謝"]
    assert again.guesses(texts) == shipped.guesses(texts)
    assert again.encode() == shipped.encode()


def test_bytes_of_no_model_are_refused(shipped: Model) -> None:
    for data in (b"", b"\x00", shipped.encode()[:-1]):
        with pytest.raises(ModelUnreadable):
            Model.decode(data)


def test_features_of_a_text_do_not_depend_on_its_neighbours() -> None:
    texts = ["one two", "", "三月五号", "x", " ", "one"]
    together = found_in(texts)
    for number, text in enumerate(texts):
        alone = found_in([text])
        assert sorted(alone.hashes) == sorted(together.hashes[together.texts == number])


def test_weighed_parts_are_as_long_as_they_should_be() -> None:
    found = found_in(["my order is late", "late again"])
    vocabulary = vocabulary_of(found, 2, 1000)
    rows = weigh(found, 2, vocabulary)
    assert np.allclose([np.square(rows.values[: rows.starts[1]]).sum(), rows.covered[0]], 1, atol=1e-3)
    foreign = weigh(found_in(["zzz qqq"]), 1, vocabulary)
    assert len(foreign.values) == 0
    assert foreign.covered[0] == 0


def test_equal_examples_count_once() -> None:
    data = examples_of([("a", ["Yes", "yes ", "\uff39\uff25\uff33"]), ("b", ["no"])])
    assert list(data.labels) == [0, 1]


async def test_a_program_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "no number")
    with pytest.raises(TrainingFailed, match="PYTHONHASHSEED"):
        await Trainer().train(COLOURS)


async def test_the_trainer_goes_on_after_a_training_was_given_up() -> None:
    trainer = Trainer()
    examples = [(name, [f"{text} {number}" for text in own for number in range(400)]) for name, own in COLOURS]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await trainer.train(examples)
    assert not trainer.busy
    assert (await trainer.train(COLOURS)).guess("red").intent == "warm"
