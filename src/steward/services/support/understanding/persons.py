"""Whether a customer wants a person, and whether they complain: rules, for these must not depend on training."""

import re
from typing import Final, NamedTuple

from steward.kit.text import fold

_LONGEST: Final = 2000
_STAFF: Final = (
    r"(?:human(?: being)?(?! (?:hair|body|size|sized|sound|voice|being s|rights|resources))|(?:real|actual|live|"
    r"living) "
    r"(?:person|human|agent|people)|person|people|agent|representative|rep|operator|manager|supervisor|boss|someone|"
    r"somebody|"
    r"anyone|anybody|employee|colleague|specialist|expert|staff(?: member)?|customer (?:service|support|care)|"
    r"member of staff|"
    r"support (?:team|staff|agent)|your team|service desk)\b"
)
_VERBS: Final = (
    r"(?:talk|speak|chat|connect(?: me| us)?|transfer(?: me| us)?|put(?: me| us)? through|get(?: me)?|give(?: me)?|"
    r"need|want|reach|"
    r"contact|call|escalate|hand(?: me)? over|pass(?: me)?(?: on)?|route(?: me)?|prefer|communicate|discuss(?: it|"
    r" this)?)"
)
_LINK: Final = (
    r"(?: (?:to|with|by|from|in|on|a|an|the|your|you|my|one|of|some|real|actual|live|directly|please|now|just|"
    r"talking|speaking|speak|talk|have|another)){0,6} "
)
_ENGLISH: Final = re.compile(
    rf"\b{_VERBS}{_LINK}{_STAFF}"
    r"|\b(?:human|agent|operator|representative|live agent|real person|customer service|manager)(?: please| now|"
    r"[!.?]*$)"
    r"|^\W*(?:human|agent|operator|person|representative|supervisor)\b[\s!.?]*(?:please|now|pls)?[\s!.?]*$"
    r"|\b(?:someone|somebody|a person|an? (?:agent|employee|expert|specialist|colleague|manager)|your (?:team|"
    r"manager))"
    r"(?: from [a-z ]{1,20})? (?:call|phone|ring|contact|help|please call)\b"
    r"|\bcall me(?: back\b|\W*$| (?:please|now|today|tomorrow|asap|at|on|about|as soon|later|instead|directly))|"
    r"\bcallback\b|\bis (?:there|anyone|anybody|somebody) (?:a |any )?(?:human|real person|"
    r"person|anybody|in there)"
    r"|\b(?:actual|real) (?:person|human)\b|\b(?:no|not a|stop the|enough of the) (?:bot|robot|machine)s?\b"
)
_NOT_ENGLISH: Final = re.compile(
    rf"\b(?:don't|do not|dont|no need to|needn't|without) (?:need |want |have )?(?:to )?{_VERBS}?{_LINK}{_STAFF}"
)
_CHINESE: Final = re.compile(
    r"(?:转|接|找|要|叫|给|派|换|请|喊|跟|和|与|有没有|有|让|联系|联络|安排|想)[^,。!?;\n]{0,6}"
    r"(?:人工|真人|活人|专员|专人|客服(?!务)|主管|经理|领导|负责人|店长|老板|工作人员|你们的人)"
    r"|^\W*(?:人工|真人|客服|专员|活人|转人工|主管)(?:客服|服务|坐席|在哪.{0,3}|在吗)?\W*(?:谢谢|拜托)?\W*$|"
    r"人工(?:客服|服务|坐席)|真人(?:客服|服务)"
    r"|(?:不要|不跟|不想跟|别用|不和|不用)[^,。!?]{0,4}(?:机器人|智能客服|自动回复)"
    r"|(?:找|叫|派|换|喊|接)(?:一?个|一位|位)?人(?!脸)|(?:给我|请|麻烦)?回(?:个)?电(?:话)?给我|打(?:个)?电话给我|"
    r"给我(?:打|回)(?:个)?电话|请回电"
    r"|能找到人|跟人(?:讲|说|聊|谈)|和人(?:说|聊|谈)|直接跟人"
)
_NOT_ABOUT_STAFF: Final = re.compile(
    r"\b(?:(?:real|actual|live) )?(?:human|person) (?:hair|skin|voice|size)|\b(?:account|password|property|task|"
    r"download|file|travel|estate|cleaning|rinse|drying|bleaching|user|window) (?:manager|agent)s?\b"
    r"|\b(?:do|does|will|would|should) (?:i|we|you|it|that|this|one) (?:still |really )?need (?:an? |"
    r"some )?(?:someone|"
    r"somebody|anyone|anybody|expert|specialist|person|people|employee|operator|agent)\b"
    r"|\bsome(?:one|body) else\b|\bpeople count\w+|\b(?:customer (?:service|support|care)) (?:hours?|times?|opening|"
    r"address|"
    r"e-?mail|number)|\bhours of (?:the |your )?customer (?:service|support|care)|\bwhen is (?:the |"
    r"your )?customer (?:service|"
    r"support|care)\b.*|\b(?:safe|fit|good|made|suitable) for (?:an? )?(?:human|person|people)s?\b"
    r"|\b(?:driver|courier|carrier|delivery|postman)\b.{0,30}\bcall me\b(?! back)|\bsome(?:one|body) call me before\b"
)
"""What looks like staff and is none, and questions about staff that do not ask for one."""
_NOT_CHINESE: Final = re.compile(
    r"(?:不用|不需要|不必|不要|别)(?:再)?(?:给我)?(?:转|找|接)?(?:人工|真人|客服|专员|经理)|(?:真人|人工)(?:智能|智慧|发|"
    r"头发|草|皮|降噪|语音|照片|湖|费|成本|呼吸|晶体|宝石|钻|试穿|试戴|秀|实拍|图|大小|版)"
    r"|(?:老板|经理|主管|领导)(?:椅|桌|台)|(?:买|送|给|挑|选)(?:给)?(?:我|我们)?(?:老板|领导|经理|主管)(?:的|当|做|买|挑|选|送)?"
    r"|(?:请问|想问|问一下|问下)(?:一下|下)?(?:你们)?(?:客服|老板|店长)|客服(?:的)?(?:电话|号码|邮箱|信箱|热线|专线|时间|时段|"
    r"工作|上班|下班|营业|几点|在线时间|服务时间)|专人(?:送|配送|安装|上门|派送|维修|讲解|收|取)"
    r"|(?:找|叫|派|换|请|喊)(?:一?个|一位|位|别)?(?:别)?(?:专)?人(?:来|上门|去|到府|帮忙|帮我)?(?:代|安装|装|收|取|拿|领|维修|修|搬|送|"
    r"签|自提|清洗|检)|(?:快递|司机|配送|送货|宅配|物流|师傅)[^。!?;\n]{0,10}(?:打|回)(?:个)?电话给我|(?:会|会不会|要不要)"
    r"(?:先|提前|事先)?(?:打电话给我|给我打电话)"
)
_COMPLAINT: Final = re.compile(
    r"\bcomplain(?:t|ts|ing|ed)?\b|\bunacceptable\b|\b(?:going to|will|i'll|gonna) (?:sue|report)\b|"
    r"\bconsumer (?:protection|rights)\b|"
    r"\b(?:worst|terrible|awful|horrible|appalling|disgraceful) (?:customer )?(?:service|support|shop|store|company|"
    r"experience)\b|"
    r"\b(?:driver|courier|staff|agent|employee|technician|delivery (?:guy|man))\b.{0,30}\b(?:rude|insulted|yelled|"
    r"shouted|swore|threw)\b|"
    r"投诉|客诉|申诉|抱怨|检举|举报|消协|消保|12315|起诉|告你们|(?:服务|态度)[^,。!?]{0,6}(?:差|烂|恶劣|糟)"
)
_ASKED_ABOUT: Final = re.compile(r"\b(?:no|without|not a) complaints?\b|没(?:有)?(?:什么|啥)?(?:可|好)?(?:抱怨|投诉)")


class Wish(NamedTuple):
    """What the rules say of a message."""

    person: bool
    complaint: bool


def wish_in(text: str) -> Wish:
    """Whether a person is asked for, and whether the message complains."""
    plain = fold(text[:_LONGEST]).replace("\u2019", "'")
    complaint = _COMPLAINT.search(plain) is not None and _ASKED_ABOUT.search(plain) is None
    return Wish(person=_wants_person(plain), complaint=complaint)


def _wants_person(whole: str) -> bool:
    plain = _NOT_ABOUT_STAFF.sub(" ", whole)
    if _ENGLISH.search(plain):
        return _NOT_ENGLISH.search(plain) is None
    if plain.isascii() or not _CHINESE.search(plain):
        return False
    # Of "不要机器人,找真人" the first half wants no robot; only what refuses a person counts.
    return _CHINESE.search(_NOT_CHINESE.sub(" ", plain)) is not None
