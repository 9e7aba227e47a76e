"""What a message says inside of its courtesies."""

from itertools import product

import pytest

from steward.services.support.ports import Language
from steward.services.support.understanding.framing import core_of
from tests.services.support.understanding.conftest import Room

FRAMES = {
    "en": [
        "Hi, my name is Ann. {q}? Thanks in advance!",
        "Dear team, {q}? Kind regards, Paul Weber",
        "Hello there, I'm Maria from Leeds. {q}? Have a nice day!",
        "Good morning,\n\nI hope you are well. {q}?\n\nLooking forward to your reply.\nSue",
        "Hi Tom, this is JO. Sorry to bother you, {q}? - Jo",
    ],
    "zh-Hans": [
        "{q}？我叫王小明。",
        "你好，我是王小明，想问一下，{q}？",
        "您好，{q}？谢谢！李华敬上",
        "亲，打扰了，{q}？麻烦了，祝生意兴隆",
        "你好我想请问一下{q}谢谢",
    ],
    "zh-Hant": [
        "{q}？我叫王小明。",
        "你好，我是陳小華，想問一下，{q}？",
        "您好，{q}？謝謝您！王小明 敬上",
        "不好意思打擾了，敝姓林，請問{q}？先謝謝了",
        "哈囉請問{q}感謝",
    ],
}
QUESTIONS = {
    "en": [("how much does shipping cost", "faq"), ("where is my order", "order")],
    "zh-Hans": [("运费怎么算", "faq"), ("耳机连不上蓝牙", "technical")],
    "zh-Hant": [("保固期多久", "faq"), ("我想退掉上週買的檯燈", "refund")],
}
FRAMED = [
    (frame.format(q=question), question, intent, locale)
    for locale, frames in FRAMES.items()
    for frame, (question, intent) in product(frames, QUESTIONS[locale])
]


@pytest.mark.parametrize(("text", "question", "intent", "locale"), FRAMED)
async def test_framed_question_is_taken_as_the_bare_one(
    room: Room, text: str, question: str, intent: str, locale: str
) -> None:
    found = await room.parts.room.understand(room.ctx(locale=locale), text, previous=None)
    bare = found.core.lower().removeprefix("this is jo. ").rstrip("?？")
    assert bare == question
    assert ([one.type for one in found.intents], found.unsure, found.language) == ([intent], False, Language(locale))


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "thanks a lot, that was all!",
        "Hi, my name is Ann.",
        "no thanks",
        "THIS IS UNACCEPTABLE. I AM ANGRY.",
        "thanks for the gift, how do I use it",
        "ORD-2026-000123",
        "No. 5 Baker St., London",
        "在吗",
        "好的，谢谢啦",
        "我是王先生",
        "我是昨天下单的，还没发货",
        "快递放在门上，不见了",
        "我叫了快递，没人来",
        "謝謝你，沒問題了",
        "哈囉你好呀",
        "？！",
    ],
)
def test_what_is_no_frame_or_nothing_else_stays(text: str) -> None:
    assert core_of(text) == text


def test_what_is_behind_the_part_that_is_looked_at_stays() -> None:
    text = "Hello, " + "where is it? " * 200
    assert core_of(text) == text.removeprefix("Hello, ")


async def test_entities_and_feeling_are_of_the_whole_message(room: Room) -> None:
    text = "Hi, my name is Ann. Where is it? Thanks, ann@shop.example"
    found = await room.parts.room.understand(room.ctx(), text, previous=None)
    assert [entity.value for entity in found.entities] == ["ann@shop.example"]
