"""Texts as search and the classifier want them: both Chinese scripts in one form, words apart, English stemmed."""

import logging
import re
import unicodedata
from functools import lru_cache

import jieba
import opencc
import snowballstemmer

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"\w", re.UNICODE)
_STOP_WORDS = """
a an and are as at be by can could do does for from hello hi how i in is it me my of on or please so
that the this to was we what when where which who will with would you your
的 了 吗 呢 吧 啊 我 我的 你 你们 您 是 在 有 和 请 请问 想 要 怎么 什么 一下 可以 能 就 都 也
还
"""
_STOP = frozenset(_STOP_WORDS.split())


class Language:
    def __init__(self) -> None:
        jieba.setLogLevel(logging.WARNING)
        jieba.initialize()
        self._to_simplified = opencc.OpenCC("t2s").convert
        self._stem = lru_cache(50_000)(snowballstemmer.stemmer("english").stemWord)

    def fold(self, text: str) -> str:
        return " ".join(self._to_simplified(unicodedata.normalize("NFKC", text).casefold()).split())

    def terms(self, folded: str) -> list[str]:
        words = jieba.cut_for_search(folded) if _HAN.search(folded) else re.findall(r"\w+", folded)
        found = [self._stem(word) if word.isascii() else word for word in words if _WORD.search(word)]
        return [word for word in found if word not in _STOP] or found

    def locale(self, text: str, folded: str) -> str:
        if not _HAN.search(folded):
            return "en"
        return (
            "zh-Hans"
            if unicodedata.normalize("NFKC", text).casefold() == self._to_simplified(text).casefold()
            else "zh-Hant"
        )
