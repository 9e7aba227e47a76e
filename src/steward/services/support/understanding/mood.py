"""The words of feeling, each with its strength, in English and in folded (simplified) Chinese."""

from collections.abc import Mapping, Sequence
from typing import Final


def _listed(words: str) -> Sequence[str]:
    return [word.strip() for word in words.replace("\n", " ").split("|") if word.strip()]


def _weighed(*levels: tuple[float, str]) -> Mapping[str, float]:
    return {word: weight for weight, words in levels for word in _listed(words)}


ENGLISH: Final[Mapping[str, float]] = _weighed(
    (
        3,
        "amazing|awesome|brilliant|excellent|fantastic|incredible|love|loved|outstanding|perfect|perfectly|superb|"
        "wonderful|best",
    ),
    (
        1.6,
        "appreciate|cool|delighted|easy|enjoy|fine|friendly|glad|good|great|happy|helped|helpful|impressed|kind|"
        "like|lovely|"
        "nice|pleased|quick|satisfied|smooth|sweet|thank|thanks|thx|cheers|useful|well|wow|works|recommend|pleasant|"
        "cheerful",
    ),
    (
        -1.6,
        "annoyed|annoying|bad|cheap|complain|complaint|confusing|cracked|crap|damaged|dirty|disappointed|"
        "disappointing|"
        "dissatisfied|faulty|flimsy|frustrated|frustrating|hate|ignored|incompetent|late|mess|nightmare|nobody|"
        "overcharged|poor|"
        "poorly|regret|rude|sad|slow|smashed|tired|unhappy|unhelpful|upset|useless|waiting|wasted|worse|wrong|lied|"
        "unreliable|"
        "sick|fed|junk|bored|lousy|unfriendly|mistake|problem",
    ),
    (
        -3.2,
        "appalling|awful|bastards|bullshit|damn|disgrace|disgraceful|disgusted|disgusting|fraud|furious|garbage|"
        "hell|horrible|"
        "idiots|liars|livid|outrageous|pathetic|ridiculous|rubbish|scam|scammed|scammers|shit|shitty|stupid|sue|"
        "terrible|thieves|"
        "trash|unacceptable|worst|wtf|fuck|fucking|unbelievable|joke",
    ),
)
ENGLISH_STRONGER: Final = frozenset(
    _listed("""
    absolutely|very|really|so|extremely|totally|completely|super|too|incredibly|utterly|such|damn|fucking|
    bloody|truly
""")
)
ENGLISH_NEGATING: Final = frozenset(
    _listed("""
    not|no|never|isn't|wasn't|aren't|don't|doesn't|didn't|can't|cannot|won't|hardly|without|nothing|isnt|dont|
    doesnt|didnt
""")
)
CHINESE: Final[Mapping[str, float]] = _weighed(
    (
        3,
        "太棒|超棒|棒极|完美|非常好|超好|极好|爱死|最好|一级棒|超赞|太赞|太好了|好极了|超喜欢|超满意|五星|好评|"
        "无可挑剔|惊喜|神速|感动|太厉害|"
        "点赞|超级好|真棒|好棒",
    ),
    (
        1.6,
        "谢谢|感谢|多谢|不错|满意|喜欢|好用|方便|开心|高兴|很好|蛮好|挺好|真好|赞|给力|贴心|亲切|耐心|热情|快速|"
        "辛苦了|推荐|值得|舒服|漂亮|有帮助|"
        "还可以|专业|很快|好快|真快",
    ),
    (
        -1.6,
        "失望|不满|差劲|很差|太差|质量差|态度差|难用|太慢|很慢|好慢|慢死|太久|等很久|等了好久|超久|烦|生气|后悔|"
        "麻烦死|敷衍|没人理|没人管|没人回|不理|"
        "不负责|投诉|客诉|申诉|抱怨|欺骗|不专业|不耐烦|难受|无语|郁闷|答非所问|没用|不好|糟|坑|贵死|受不了|莫名其妙|"
        "推卸|不爽|拖|难过|瑕疵|二手货|有问题|"
        "破损|坏的|离谱|怎么这么|搞什么|骗人|不高兴|不开心|心累|寒心|火大|一肚子火|超差|好差|拖延|差评",
    ),
    (
        -3.2,
        "垃圾|骗子|诈骗|滚|他妈|妈的|靠北|混蛋|王八蛋|去死|气死|气炸(?!锅)|怒|忍无可忍|恶心|恶劣|太过分|过分|最烂|超烂|"
        "太烂|有够烂|烂透|烂死|破烂|爛|烂公司|"
        "无耻|不要脸|黑店|黑心|傻逼|他妈的|操|智障|白痴|脑残|坑爹|坑人|起诉|告你们|烂东西|烂机器|消协|消保|奇葩|"
        "什么鬼|什么玩意|破玩意|史上最|再也不|可恶|"
        "可耻|太夸张|丢脸|糟透|糟糕透",
    ),
)
CHINESE_STRONGER: Final = (
    "非常",
    "特别",
    "十分",
    "极其",
    "实在",
    "简直",
    "真的",
    "有够",
    "超级",
    "太",
    "超",
    "很",
    "极",
    "真",
    "好",
)
CHINESE_NEGATING: Final = (
    "不",
    "没",
    "没有",
    "别",
    "不太",
    "不怎么",
    "不是",
    "不够",
    "不算",
    "一点也不",
    "一点都不",
    "不是很",
    "没那么",
)
CHINESE_OTHER: Final = (
    "操作|操控|操场|体操|操心|操纵|滚(?:筒|轮|刷|动|烫|珠|水)|垃圾(?:桶|袋|箱|筒|铲|分类|处理|压缩|邮件|信|短信|车)|厨余垃圾|"
    "拖(?:把|地|鞋|布|车|吊|线|板|扫)|扫拖|吸拖|坑洞|(?:防|反)诈骗"
)
"""Words that a word of feeling is only a part of."""
ENGLISH_OTHER: Final = (
    r"\b(?:trash|garbage|rubbish)[ -](?:cans?|bins?|bags?|disposals?|disposers?|chutes?|compactors?|collections?|"
    r"liners?)\b"
    r"|\bjunk (?:mail|folder)\b|\b(?:fraud|scam) (?:protection|prevention|department|alerts?|filters?)\b"
    r"|\b(?:name is|name's|i'm|i am|this is|dear|hi|hello|regards|call me|from),? sue\b|[.?!,\n-] ?sue\W*$"
)
"""The same in English, with the name of who sues nobody."""
