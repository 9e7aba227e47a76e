"""How customers feel and whom they want, on sentences of our own."""

from pathlib import Path

import pytest

from steward.services.support.api import Sentiment
from steward.services.support.understanding.persons import wish_in
from steward.services.support.understanding.sentiment import sentiment_of

LABELLED = [
    line.split("\t")
    for line in (Path(__file__).parent / "sentiment.tsv").read_text("utf-8").splitlines()
    if line.strip()
]


def test_nine_of_ten_labelled_sentences_are_told_right() -> None:
    assert len(LABELLED) >= 90
    wrong = [(wanted, text, sentiment_of(text).value) for wanted, text in LABELLED if sentiment_of(text) != wanted]
    assert len(wrong) <= len(LABELLED) * 0.1, wrong


def test_feeling_is_never_told_the_wrong_way_round() -> None:
    bad = (Sentiment.NEGATIVE, Sentiment.VERY_NEGATIVE)
    good = (Sentiment.POSITIVE, Sentiment.VERY_POSITIVE)
    turned = [
        text
        for wanted, text in LABELLED
        if (wanted in bad and sentiment_of(text) in good) or (wanted in good and sentiment_of(text) in bad)
    ]
    assert turned == []


@pytest.mark.parametrize(
    "text",
    [
        "can I talk to a human",
        "I want to speak with someone real",
        "agent!!",
        "put me through to your supervisor please",
        "have somebody call me",
        "please call me back",
        "真人客服",
        "轉真人",
        "转人工",
        "我不要跟机器人说话",
        "叫你们经理来",
        "請專人回電給我",
        "找个人来处理",
    ],
)
def test_a_person_is_asked_for(text: str) -> None:
    assert wish_in(text).person


@pytest.mark.parametrize(
    "text",
    [
        "do you sell human hair wigs",
        "I don't need to talk to a human",
        "is it one person or two who deliver",
        "the person on the picture",
        "how many people fit on the sofa",
        "where is my order",
        "不用转人工",
        "真人发假发有货吗",
        "人呢",
        "这款音箱支持人工智能吗",
        "客服态度很好",
        "我要退货",
    ],
)
def test_a_person_is_not_asked_for(text: str) -> None:
    assert not wish_in(text).person


@pytest.mark.parametrize(
    "text", ["I want to complain", "this is unacceptable", "我要投诉", "我要客訴你們", "服务太差了"]
)
def test_a_complaint_is_one(text: str) -> None:
    assert wish_in(text).complaint


@pytest.mark.parametrize("text", ["no complaints so far", "my tv is broken", "服务很好", "没什么可抱怨的"])
def test_no_complaint_is_none(text: str) -> None:
    assert not wish_in(text).complaint
