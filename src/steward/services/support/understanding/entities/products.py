"""Names of products: what is quoted, brands and models, and what a shop for electronics and the home sells."""

import re
from typing import Final

from steward.services.support.api import EntityType
from steward.services.support.understanding.entities.spans import Span, Spans

_ENGLISH: Final = """
air conditioner|air fryer|air purifier|alarm clock|blender|bluetooth speaker|bookshelf|camera|charger|coffee grinder|
coffee machine|coffee maker|computer|console|dehumidifier|desk|desk lamp|dishwasher|doorbell|dryer|earbuds|earphones|
electric kettle|espresso machine|fan|freezer|fridge|hair dryer|hard drive|headphones|headset|heater|humidifier|iron|
kettle|
keyboard|lamp|laptop|mattress|microwave|mixer|monitor|mouse|oven|phone|power bank|printer|projector|refrigerator|
rice cooker|robot vacuum|router|security camera|shelf|smart bulb|smart plug|smartwatch|sofa|soundbar|speaker|tablet|
television|toaster|tv|usb cable|vacuum cleaner|vacuum|washer|washing machine|watch|webcam
"""
_CHINESE: Final = """
空气净化器|空氣清淨機|净化器|清淨機|净水器|淨水器|电风扇|電風扇|风扇|電扇|加湿器|加濕器|除湿机|除濕機|取暖器|暖氣機|
暖风机|空调|空調|
冷氣|冰箱|冷冻柜|冷凍櫃|洗衣机|洗衣機|烘干机|烘乾機|烘衣機|洗碗机|洗碗機|微波炉|微波爐|烤箱|电饭煲|電飯煲|电饭锅|電鍋|
電子鍋|空气炸锅|
氣炸鍋|热水壶|熱水壺|水壶|电磁炉|電磁爐|咖啡机|咖啡機|磨豆机|磨豆機|榨汁机|果汁機|搅拌机|攪拌機|烤面包机|烤麵包機|
吹风机|吹風機|
扫地机器人|掃地機器人|掃地機|扫地机|吸尘器|吸塵器|熨斗|电视机|电视|電視|音箱|音响|音響|喇叭|耳机|耳機|耳麦|手机|手機|
平板|笔记本电脑|
笔记本|筆電|電腦|电脑|显示器|螢幕|键盘|鍵盤|鼠标|滑鼠|打印机|印表機|投影仪|投影機|路由器|分享器|摄像头|攝影機|相机|
相機|手表|手錶|手环|
充电器|充電器|充电宝|行動電源|硬盘|硬碟|U盘|隨身碟|门铃|門鈴|智能灯|智慧燈泡|智能插座|智慧插座|台灯|檯燈|沙发|沙發|
床垫|床墊|书桌|
書桌|椅子|柜子|櫃子
"""
_BRANDS: Final = """
airpods|iphone|ipad|macbook|imac|apple watch|galaxy|pixel|samsung|sony|lg|dyson|philips|bose|xiaomi|redmi|huawei|lenovo|
thinkpad|asus|acer|dell|canon|nikon|epson|nintendo switch|playstation|xbox|kindle|roomba|gopro|小米|华为|華為|戴森|
飞利浦|飛利浦|
松下|海尔|美的|大同|索尼|苹果|蘋果
"""
_QUOTED: Final = re.compile(
    '[\u201c"]([^\u201c\u201d"\n]{2,60})[\u201d"]'
    "|\u300c([^\u300c\u300d\n]{2,60})\u300d|\u300a([^\u300a\u300b\n]{2,60})\u300b"
)


def _listed(words: str) -> str:
    """The words as alternatives, longest first."""
    return "|".join(sorted(words.replace("\n", "").split("|"), key=len, reverse=True))


_MODEL: Final = r"(?!(?:ord|[ef]\d|wifi|usb)\b)[A-Za-z]{1,5}-?\d{2,5}[A-Za-z]{0,3}"
_MARK: Final = r"(?:pro|max|mini|air|plus|ultra|se|lite|\d{1,4}[a-z]{0,2})"
_NOUN: Final = rf"(?:(?:{_listed(_ENGLISH)})s?\b|{_listed(_CHINESE)})"
_NAMED: Final = re.compile(
    rf"(?<![A-Za-z0-9])(?:"
    rf"(?:{_listed(_BRANDS)})(?:\s?{_MARK}(?![A-Za-z0-9])){{0,3}}(?:\s?{_NOUN})?"
    rf"|{_MODEL}(?![A-Za-z0-9-])(?:\s?{_NOUN})?"
    rf")|(?<![A-Za-z])(?:{_NOUN})(?:\s{_MODEL}(?![A-Za-z0-9-]))?",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"[EF]r{0,2}-?\d{1,4}", re.IGNORECASE)


def products(text: str) -> Spans:
    """The products that a message names; the name is left as it was written."""
    for match in _QUOTED.finditer(text):
        group = match.lastindex or 1
        if match.group(group).strip():
            yield Span(*match.span(group), EntityType.PRODUCT_NAME, _tidy(match.group(group)))
    for match in _NAMED.finditer(text):
        if not _CODE.fullmatch(match.group()):
            yield Span(*match.span(), EntityType.PRODUCT_NAME, _tidy(match.group()))


def _tidy(name: str) -> str:
    return " ".join(name.split())
