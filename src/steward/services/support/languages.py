"""Which language a customer is answered in."""

import re
from collections.abc import Mapping
from typing import Final

from steward.kit.text import detect_locale
from steward.services.support.ports import Language

_KNOWN: Final[Mapping[str, Language]] = {language.value: language for language in Language}
_CHINESE: Final = frozenset((Language.HANT, Language.HANS))
_TAIWAN: Final = re.compile(
    "收件|寄件|退件|到件|宅配|超商|刷卡|退刷|保固|信箱|手提|折抵|加值|免付|小七|全家|台北|台中|台南|高雄|新竹|"
    "喔|耶|欸|唷|咧"
)
_MAINLAND: Final = re.compile(
    "保修|售后|以后|之后|然后|最后|后天|后来|短信|微信|充值|哪里|[这那家店]里|里面|几[天点号个时次]|[什怎那在多要]么|么$|"
    "支持|水平|屏幕|包退|包安|上海|北京|深圳|啥|咋|俺|咱|甭"
)
"""Words of one side in characters that both scripts have: the others tell the script by themselves."""


def language_of(text: str, previous: Language | None, locale: str) -> Language:
    """The language of a message that comes after `previous`; `locale` is the caller's, or else the tenant's.

    Chinese that shows no script is in the session's, the caller's, that of the words it uses, or simplified.
    """
    before = previous if previous in _CHINESE else None
    found = detect_locale(text, before.value if before else None)
    if found is not None:
        return _KNOWN[found]
    if detect_locale(text, Language.EN.value) != Language.HANS.value:
        return previous or _KNOWN.get(locale, Language.EN)
    wanted = _KNOWN.get(locale)
    if wanted is not None and wanted in _CHINESE:
        return wanted
    return Language.HANT if len(_TAIWAN.findall(text)) > len(_MAINLAND.findall(text)) else Language.HANS
