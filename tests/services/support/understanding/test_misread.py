"""Words that look like a wish for a person, or like anger, and are neither: none of these opens a ticket."""

import pytest

from steward.services.support.api import Sentiment
from steward.services.support.understanding.persons import wish_in
from steward.services.support.understanding.sentiment import sentiment_of
from tests.services.support.understanding.conftest import Room

NEITHER = """
user manual / where can I download the user manual / what are your customer service hours
when is customer support open / is this wig real human hair / real leather sofa
is the sofa made of real leather / do you sell trash cans / garbage bags 30 l / can you empty my junk folder
hi, Sue here / my name is Sue, call me Sue / is it safe for humans / do I need someone at home for the delivery
do I need an expert to install it / can someone else pick up my parcel / do you sell a password manager
which cleaning agent suits the coffee machine / is there a human size mannequin
will the courier call me before delivery / people counter / representative sample / agent orange paint
does the app have a file manager? / is the vacuum operator friendly / how many people fit in the tent / 操作手冊
操作手册 / 操作說明 / 操作说明书在哪下载 / 怎么操作 / 操控距离多远 / 工作时间 / 工作時間 / 客服时间 / 客服時間
客服几点上班 / 你们客服几点下班 / 客服电话多少 / 有客服电话吗 / 客服信箱是什麼 / 人工智能音箱
我想买人工智能音箱 / 我要買人工智慧音箱 / 人工草皮多少錢 / 安装要人工费吗 / 要人工費嗎 / 想买一把老板椅
我要給老闆買禮物 / 送给领导的礼物选哪个 / 滚筒洗衣机多少钱 / 滾筒洗衣機有貨嗎 / 滚刷怎么换 / 垃圾桶有大号的吗
垃圾袋一包幾個 / 拖把多少钱 / 有扫拖一体机吗 / 有真人试穿图吗 / 是真人假发吗 / 有专人安装吗 / 会派人来安装吗
會派人來安裝嗎 / 可以派人來收退貨嗎 / 可以找人代收嗎 / 换个人收货可以吗 / 请问客服，运费多少
請問老闆這款有貨嗎 / 送货前会打电话给我吗 / 快递员会打电话给我吗 / 我叫王经理，运费多少 / 人脸识别
"""
TEXTS = [text.strip() for line in NEITHER.splitlines() for text in line.split(" / ") if text.strip()]


@pytest.mark.parametrize("text", TEXTS)
async def test_neither_person_nor_anger(room: Room, text: str) -> None:
    found = await room.parts.room.understand(room.ctx(), text, previous=None)
    assert (found.wants_person, found.complaint, found.reason) == (False, False, "classifier")
    assert found.sentiment is not Sentiment.VERY_NEGATIVE


@pytest.mark.parametrize(
    "text",
    [
        "please call me at 5",
        "call me",
        "can someone from support call me today",
        "how can I reach a human agent",
        "I need someone to help me, a real person",
        "轉接客服",
        "请给我转人工客服",
        "我要跟你们经理谈",
        "派人跟我聯絡",
        "让你们老板给我打电话",
        "不要人工智能,我要真人",
        "我要找人",
    ],
)
def test_a_wish_for_a_person_is_still_one(text: str) -> None:
    assert wish_in(text).person


@pytest.mark.parametrize(
    "text", ["垃圾", "什么垃圾东西", "滚", "操你妈", "this is trash", "I will sue you", "what a scam"]
)
def test_anger_is_still_anger(text: str) -> None:
    assert sentiment_of(text) is Sentiment.VERY_NEGATIVE
