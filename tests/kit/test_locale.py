"""Language negotiation."""

import pytest

from steward.kit.locale import negotiated


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK, en", "zh-Hant"),
        ("zh-Hant-CN", "zh-Hant"),
        ("zh-Hans-TW", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("ZH-cn", "zh-Hans"),
        ("en;q=0.2, zh-TW;q=0.8", "zh-Hant"),
        ("en-GB, zh-TW;q=0.9", "en"),
        ("zh-TW;q=0, en;q=0.1", "en"),
        ("zh-TW;q=x, en;q=0.1", "en"),
        ("zh-TW;q=nan", "en"),
        ("zh-TW;q=1.5, zh-CN;q=0.9", "zh-Hant"),
        (";;==,,", "en"),
        ("fr," * 30 + "zh-TW", "en"),
    ],
)
def test_best_known_language_is_chosen(header: str, locale: str) -> None:
    assert negotiated(header) == locale
