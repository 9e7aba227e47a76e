"""The core of a message: what it says without greeting, self-introduction, thanks and sign-off."""

import re
from typing import Final

from steward.kit.text import fold

_LONGEST: Final = 2000
"""Characters that are looked at; what comes behind them stays."""
_FRAME: Final = 80
"""Characters of the longest greeting, thanks or sign-off."""
_SIGNED: Final = 40
"""Characters of a name under a message."""
_SHORT: Final = 3
_SEGMENTS: Final = re.compile(
    r"[^,，。！!?？;；\n]+?(?:(?:\.(?=\s|$)|[,，。！!?？;；\n~\uff5e])[\s.。!！?？~\uff5e]*|$)"
)
_EDGE: Final = " \t\n,，。.!！;；~\uff5e、:："

_NAME: Final = r"[A-Z][a-z][\w'\u2019-]*(?: [A-Z][\w.'\u2019-]*){0,3}"
_TITLE: Final = r"(?:先生|小姐|女士|同学|太太|老师|经理|主管|老板)"
_SURNAME: Final = (
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁余叶蒋杜苏魏程吕丁沈姚卢姜崔钟谭陆"
    "汪范廖贾夏韦付邹孟熊秦邱江尹薛闫雷侯龙史陶黎贺顾毛郝龚邵钱严覃武戴莫孔汤阿小]"
)
_THANKS: Final = (
    r"(?:(?:先|在此|提前|非常|十分|很|真的|好的)*(?:谢谢|感谢|多谢|谢啦|感恩|拜托|麻烦|有劳|辛苦)"
    r"(?:你们|您们|你|您|大家|客服|帮忙|的?帮助|的?解答|的?回复|的?协助|各位)*(?:了|啦|啰|咯|哦|喔|呀)*)"
)
_GREETING: Final = (
    "你好|您好|你们好|大家好|哈喽|哈啰|嗨|嘿|早安|午安|晚安|早上好|中午好|下午好|晚上好|亲|"
    "hello|hi|hey|在吗|在么|有人吗"
)
_HELLO: Final = (
    rf"(?:(?=.{{0,20}}(?:{_GREETING}))(?:{_GREETING}|客服|小编|老板|店家|卖家|团队|亲爱的|尊敬的|"
    r"各位|你们|[呀啊哦喔啦 ])+)"
)
_ASKING: Final = (
    r"(?:(?:不好意思|抱歉|打扰(?:一下)?了?)?(?:我|我们)?(?:这边|就是)?(?:想要|想|要)?(?:跟你们|向您|跟您|向你们)?"
    r"(?:请问|问|请教|咨询|谘询|了解|知道)(?:一下|下|你们|您|个问题|一个问题)*)"
)
_CHINESE: Final = re.compile(
    rf"(?:{_HELLO}|{_THANKS}|{_ASKING}|{_HELLO}{_ASKING}"
    rf"|(?:你们?好|您好)?(?:我叫|我的名字(?:叫|是)|我姓|敝姓|免贵姓)(?!了|过|你|他|她|人|快递|客服|不|师傅|车)(?:做|作)?[\w·]{{1,8}}"
    rf"|(?:你们?好|您好)?(?:我是|这里是|这边是)(?:{_SURNAME}(?![色的了在要想买个])\w{{0,2}}{_TITLE}?|[a-z]{{2,12}}|"
    r"(?:你们)?(?:家|店)?的?(?:一个|一位)?(?:老|新)?(?:顾客|客户|客人|会员|买家|用户|粉丝|消费者))"
    rf"|[\w·]{{1,6}}{_TITLE}?\s*(?:敬上|谨上|拜上|敬启)|[\w·]{{1,6}}\s+[上留]|敬上|此致敬礼|此致|敬礼|祝好|顺颂商祺|祝商祺"
    r"|祝(?:你|您|你们|贵店|贵司)?(?:们)?(?:生意兴隆|工作顺利|生活愉快|一切顺利|身体健康|平安|愉快|顺心|万事如意|周末愉快).{0,8}"
    r"|(?:期待|等|盼|等待|静候|敬候|恭候)(?:着)?(?:你们|您|你|贵司)?的?(?:尽快|早日)?(?:回复|回信|答复|佳音|回音|消息)"
    r"|(?:很|真)?(?:不好意思|抱歉)?(?:打扰|打搅|叨扰)(?:你们|您|大家|一下)?了?|不好意思|抱歉|好的|没问题了?|没事了|就这样|就这些)"
)
_ENGLISH: Final = re.compile(
    r"(?:(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|dear)(?: (?:there|all|team|"
    r"everyone|"
    r"everybody|guys|folks|sir|madam|or|and|sirs?|ladies|gentlemen|support|customer|service|care|shop|store|the|your|"
    r"again|friends?|people))*"
    r"|to whom it may concern"
    r"|(?:many |so many |a lot of )?(?:thanks|thank you|thx|ty|cheers|much appreciated|i appreciate (?:it|your help|"
    r"any help))"
    r"(?: (?:so much|very much|a lot|a million|a bunch|in advance|again|and|for|your|the|help|time|any|quick|kind|"
    r"support|"
    r"assistance|reply|answer|patience|you|all|everyone|team))*"
    r"|(?:(?:best|kind|warm|kindest|warmest|many|with) )*(?:regards|wishes)|(?:yours )?(?:sincerely|faithfully|truly)"
    r"(?: yours)?|yours|best|all the best|take care"
    r"|(?:i )?hope (?:this (?:message|e-?mail|note) finds you well|(?:you|you're|you are|all|everyone|everything)"
    r"(?: (?:are|is|all|having|had|doing|you|well|fine|great|good|okay|with|a|day|week|weekend|today|there|very))+)"
    r"|(?:i(?:'m| am)? )?(?:look(?:ing)?) forward to (?:your|hearing|a) ?(?:reply|answer|response|from you|quick|"
    r"soon|"
    r"back| )*"
    r"|(?:i )?hope to hear from you(?: soon)?|have a (?:nice|good|great|lovely|wonderful) (?:day|one|evening|"
    r"weekend|week)"
    r"(?: ahead)?|bye|goodbye|see you"
    r"|(?:i'm |i am )?sorry (?:to (?:bother|trouble|disturb) (?:you|you again)|for (?:bothering|troubling|"
    r"disturbing) you)"
    r"|(?:i (?:just )?(?:have|had|got) (?:a )?(?:quick |short |small |simple |little )?question(?: (?:for you|"
    r"please))?)"
    r"|quick question|just a (?:quick )?question|i was (?:just )?wondering|excuse me|please help|that's all|"
    r"that was all|"
    r"that is all|that's it|ok|okay)"
)
_SIGNS_OFF: Final = re.compile(
    r"(?:.*\b(?:regards|wishes|sincerely|faithfully|truly|yours|best|cheers|thanks|thank you|advance)|take care|"
    r".*reply|.*soon)"
)
_INTRODUCES: Final = re.compile(
    rf"(?:my name is|my name's|name's|call me) [\w'\u2019-]+(?: [A-Z][\w.'\u2019-]*){{0,3}}(?: from [\w .'-]{{1,30}})?"
    rf"|(?:i'm|i am|this is) (?-i:{_NAME})(?: (?:here|speaking|writing))?(?: (?:from|in) (?-i:{_NAME}))?"
    rf"|(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)) (?-i:{_NAME})"
    r"|i(?:'m| am) (?:a|an|one of your) (?:\w+ )?(?:customers?|client|member|buyer|shopper|fan)(?: of yours)?",
    re.IGNORECASE,
)
_SIGNED_BY: Final = re.compile(
    r"(?:[-\u2013\u2014~]+ ?)?[A-Z][\w'\u2019-]*(?: [A-Z][\w.'\u2019-]*){0,3}|[-\u2013\u2014~]+ ?\w+"
)
_OPENING: Final = re.compile(
    r"(?:(?:my name(?:'s| is)|i(?:'m| am)(?-i:(?= [A-Z]))|"
    r"this is(?-i:(?= [A-Z]))) [\w'\u2019-]+(?: (?-i:[A-Z])[\w'\u2019-]*){0,2}"
    r"(?: here)? and (?=(?:i|my|we|the)\b)"
    r"|(?:hi|hello|hey|good (?:morning|afternoon|evening|day))(?: (?:there|team|all|everyone|guys|"
    r"again))?\s+(?=\S+ \S)"
    r"|(?:(?:[你您]们?|[你您]們?|大家)好|哈[喽囉啰]|嗨|早上好|下午好|[早晚午]安|[親亲])?(?:不好意思|抱歉)?(?:打[扰擾](?:一下)?了?)?"
    r"我?(?:想|要)?(?:[请請][问問教]|想[问問]|咨[询詢]|諮詢|[问問]一?下)(?:你们|你們|您|一下|下|[个個][问問][题題])*[,，:：\s]*"
    r"|(?:[你您]们?好|[你您]們?好|哈[喽囉啰]|嗨|早上好|下午好|[早晚午]安)[呀啊哦喔]?\s*(?=[^\s的]{2}))",
    re.IGNORECASE,
)
_CLOSING: Final = re.compile(
    r"(?:\s+(?:many )?(?:thanks|thank you|thx|ty|cheers)(?: (?:in advance|so much|very much|a lot|again))?"
    r"|(?<=[\w?？吗嗎呢了])\s*(?:(?:先|非常)?(?:谢谢|謝謝|感谢|感謝|多谢|多謝|谢啦|謝啦|拜托|拜託)(?:了|啦|你们?|您|你們)*)"
    r"|\s+[-\u2013\u2014]+ ?(?-i:[A-Z])\w+)\W*$",
    re.IGNORECASE,
)


def core_of(text: str) -> str:
    """A message without its frame; a message that is nothing but frame as it is."""
    looked_at, rest = text[:_LONGEST], text[_LONGEST:]
    kept: list[str] = []
    signed = False
    segments = _SEGMENTS.findall(looked_at)
    for place, segment in enumerate(segments):
        said = segment.strip(_EDGE)
        plain = fold(said).replace("\u2019", "'")
        if not said or _is_frame(said, plain):
            signed = _SIGNS_OFF.fullmatch(plain) is not None
            continue
        if place and _is_name(said, last=place == len(segments) - 1 and not rest, signed=signed):
            continue
        signed = False
        kept.append(segment)
    if not kept:
        return text.strip()
    return _unwrapped("".join(kept)) + rest or text.strip()


def _is_frame(said: str, plain: str) -> bool:
    if len(said) > _FRAME:
        return False
    if _ENGLISH.fullmatch(plain) or _INTRODUCES.fullmatch(said.replace("\u2019", "'")):
        return True
    return not plain.isascii() and _CHINESE.fullmatch(plain) is not None


def _is_name(said: str, *, last: bool, signed: bool) -> bool:
    """Whether this is the name that a message is signed with."""
    return last and signed and len(said) <= _SIGNED and _SIGNED_BY.fullmatch(said) is not None


def _unwrapped(text: str) -> str:
    """A text without what introduces the question and thanks for the answer in the same breath."""
    stripped = text.strip(" \t\n,，、~\uff5e")
    for form in (_OPENING, _CLOSING):
        found = form.match(stripped) if form is _OPENING else form.search(stripped, max(len(stripped) - _FRAME, 0))
        if found is not None:
            left = (stripped[: found.start()] + stripped[found.end() :]).strip()
            stripped = left if _tells(left) else stripped
    return stripped


def _tells(left: str) -> bool:
    """Whether what is left of a text says something by itself; `no` of `no thanks` does not."""
    return len(left) > (_SHORT if left.isascii() else 1) and not _is_frame(left.strip(_EDGE), fold(left.strip(_EDGE)))
