"""Which concepts texts speak of."""

import pytest

from steward.kit.text import fold
from steward.services.knowledge.concepts import Mention, mentions, strengths


def concepts(text: str) -> set[str]:
    return {each.concept for each in mentions(fold(text))}


@pytest.mark.parametrize(
    ("concept", "texts"),
    [
        ("refund", ["I want my money back", "please reimburse me", "還我錢", "可以退钱吗"]),
        ("carrier", ["the courier", "快递员", "宅配人員"]),
        ("installments", ["can I pay in instalments", "分期", "手机分12期"]),
    ],
)
def test_a_concept_is_found_in_all_languages(concept: str, texts: list[str]) -> None:
    assert all(concept in concepts(each) for each in texts)


def test_a_negation_counts_in_whatever_form() -> None:
    assert concepts("it won't charge") == concepts("it does not charge") == concepts("it isn't charging")
    assert [each.said for each in mentions("it won't charge") if each.concept == "charging"] == [["won't", "charge"]]


def test_a_word_within_a_longer_phrase_says_nothing_of_its_own() -> None:
    assert "return-cost" in concepts("return shipping fee")
    assert "shipping-fee" not in concepts("return shipping fee")


def test_a_phrase_may_have_other_words_in_its_gap_but_not_the_end_of_a_sentence() -> None:
    assert "return" in concepts("can I send two jackets back")
    assert "return" not in concepts("please send it. Come back soon")
    assert "change-address" in concepts("我想把地址在今天改一下")
    assert "change-address" not in concepts("我给了地址。不用改")


def test_numbers_stand_for_one_another() -> None:
    assert concepts("empty after two hours") == concepts("empty after 5 hours")
    assert "battery" in concepts("empty after 5 hours")


def test_a_longer_phrase_is_surer_and_an_ambiguous_one_less_so() -> None:
    assert strengths([Mention("a", ["x", "y"])])["a"] > strengths([Mention("a", ["x"])])["a"]
    both = strengths([Mention("a", ["x"]), Mention("b", ["x"])])
    assert both["a"] == both["b"] < strengths([Mention("a", ["x"])])["a"]


def test_nothing_and_very_long_texts_are_borne() -> None:
    assert mentions("") == []
    assert len(mentions("退。" * 5_000)) == 5_000
