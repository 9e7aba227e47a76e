"""What may be told a customer of what a model says."""

import pytest

from steward.services.support.model.checks import checked
from steward.services.support.ports import Language, ModelFailed
from tests.services.support.model.cited import citation

EN, HANT, HANS = Language
POLICY = "Goods may come back within 30 days. Write to care@shop.example or see https://shop.example/returns."
POLICY_HANS = "商品自签收之日起三十天内可以退货，运费 12.50 元。详情见 https://shop.example/returns"
POLICY_HANT = "商品自簽收之日起 30 天內可以退貨，超過 1,500 元免運費。"


@pytest.mark.parametrize(
    ("said", "language", "source"),
    [
        ("You can return it within 30 days.", EN, POLICY),
        ("You can return it within thirty days.", EN, POLICY),
        ("Ask care@shop.example, or look at https://shop.example/returns.", EN, POLICY),
        ("About order ORD-2026-000123: returns are open for 30 days.", EN, POLICY),
        ("签收后30天内可以退货，运费12.5元。", HANS, POLICY_HANS),
        ("签收后三十天内可以退货，详情请看https://shop.example/returns。", HANS, POLICY_HANS),
        ("簽收後三十天內可以退貨，滿1500元免運費。", HANT, POLICY_HANT),
        ("保固一年。", HANT, "保固期間：1 年"),
        ("The warranty is 1 year.", EN, "There is a warranty of one year."),
        ("The next day is the 第二天 of two days.", EN, "It takes 2 days."),
    ],
)
def test_answer_from_the_citations_passes(said: str, language: Language, source: str) -> None:
    question = "Can I return ORD-2026-000123?"
    assert checked(f" {said}\n", question, [citation(source)], language) == said


@pytest.mark.parametrize(
    ("said", "language", "source", "problem"),
    [
        ("", EN, POLICY, "nothing"),
        (" \n ", EN, POLICY, "nothing"),
        ("You can return it within 90 days.", EN, POLICY, "number"),
        ("You can return it within ninety days.", EN, POLICY, "number"),
        ("Returning costs 3.50 euros within 30 days.", EN, POLICY, "number"),
        ("You can return it within 1 day.", EN, "Goods may come back within 30 days.", "number"),
        ("签收后九十天内可以退货。", HANS, POLICY_HANS, "number"),
        ("簽收後 60 天內可以退貨。", HANT, POLICY_HANT, "number"),
        ("簽收後６０天內可以退貨。", HANT, POLICY_HANT, "number"),
        ("Write to boss@shop.example for it.", EN, POLICY, "e-mail"),
        ("请写信到boss@shop.example办理。", HANS, POLICY_HANS, "e-mail"),
        ("See https://evil.example/pay for it.", EN, POLICY, "link"),
        ("详情请看https://evil.example/returns。", HANS, POLICY_HANS, "link"),
        ("请访问evil.example办理退货。", HANS, POLICY_HANS, "link"),
        ("Open javascript://x to go on.", EN, POLICY, "link"),
        ("簽收後三十天內可以退貨。", HANS, POLICY_HANS, "zh-Hans"),
        ("签收后三十天内可以退货。", HANT, POLICY_HANT, "zh-Hant"),
        ("You can return it within 30 days.", HANT, POLICY_HANT, "zh-Hant"),
        ("签收后三十天内可以退货。", EN, POLICY_HANS, "in en"),
        ("30", HANS, POLICY_HANS, "zh-Hans"),
        ("You can\x1b[31m return it.", EN, POLICY, "control"),
        ("You can \u202ereturn it.", EN, POLICY, "control"),
        ("Yes, that is fine. " * 100, EN, POLICY, "more than"),
    ],
)
def test_answer_that_is_not_from_them_is_refused(said: str, language: Language, source: str, problem: str) -> None:
    with pytest.raises(ModelFailed, match=problem):
        checked(said, "Can I return it?", [citation(source)], language)
