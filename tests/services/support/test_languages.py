"""Which language a customer is answered in."""

import pytest

from steward.services.support.languages import language_of
from steward.services.support.ports import Language

EN, HANT, HANS = Language.EN, Language.HANT, Language.HANS


@pytest.mark.parametrize(
    ("text", "previous", "locale", "expected"),
    [
        ("我想改收件地址", HANS, "zh-Hant", HANS),
        ("我的包裹到哪了", HANT, "en", HANT),
        ("我的包裹到哪了", None, "zh-Hant", HANT),
        ("保修期多久？", EN, "zh-Hant", HANT),
        ("我想改收件地址", None, "en", HANT),
        ("宅配到家要多久", EN, "en", HANT),
        ("保修期多久？", None, "en", HANS),
        ("我的包裹到哪了", None, "en", HANS),
        ("我的包裹到哪了", EN, "", HANS),
        ("我的快递到哪了", HANT, "zh-Hant", HANS),
        ("我的訂單到哪了", HANS, "zh-Hans", HANT),
        ("where is my parcel", HANT, "zh-Hant", EN),
        ("123456", HANT, "en", HANT),
        ("123456", None, "zh-Hans", HANS),
        ("123456", None, "fr", EN),
    ],
)
def test_language(text: str, previous: Language | None, locale: str, expected: Language) -> None:
    assert language_of(text, previous, locale) is expected


@pytest.mark.parametrize("text", ["在", "你好", "好的", "不要", "退款", "包裹", "几时到"])
@pytest.mark.parametrize("previous", [None, *Language])
@pytest.mark.parametrize("locale", ["en", "zh-Hant", "zh-Hans", ""])
def test_chinese_is_never_answered_in_english(text: str, previous: Language | None, locale: str) -> None:
    assert language_of(text, previous, locale) is not EN
