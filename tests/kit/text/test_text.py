"""Folding, terms and language of texts in three scripts."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.kit.text import detect_locale, fold, is_chinese, load, terms, to_script

TEXTS = st.text(st.sampled_from("aZé 1-._'?ＡＢ　，。訂订單单後后里裡頭头髮发oOﬁ\n"), max_size=30)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("我的訂單", "我的订单"),
        ("ＯＲＤ　１２", "ord 12"),
        ("  Two\n\tlines ", "two lines"),
        ("Straße", "STRASSE"),
        ("頭髮乾了", "头发干了"),
    ],
)
def test_fold_makes_equal_what_says_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_fold_keeps_apart_what_differs() -> None:
    assert fold("退货") != fold("换货")


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_fold_of_a_fold_is_itself_and_gives_the_same_terms(text: str) -> None:
    folded = fold(text)

    assert fold(folded) == folded
    assert terms(folded) == terms(text)


def test_terms_segment_stem_and_drop_stop_words() -> None:
    assert terms("How do I return the headphones?") == ["how", "return", "headphon"]
    assert terms("我的訂單什麼時候發貨？") == terms("我的订单什么时候发货") == ["订单", "什么", "时候", "发货"]
    assert {"长江", "大桥", "长江大桥"} <= set(terms("长江大桥"))


def test_terms_keep_stop_words_where_there_is_nothing_else() -> None:
    assert terms("the") == ["the"]
    assert terms("你好") == ["你好"]
    assert terms("?!，。") == []


def test_terms_find_a_compound_joined_and_in_parts() -> None:
    assert set(terms("wifi")) <= set(terms("Wi-Fi"))
    assert set(terms("email")) <= set(terms("E-Mail"))
    assert terms("the customer's orders") == terms("customer order")


@pytest.mark.parametrize(
    ("text", "previous", "expected"),
    [
        ("Where is my parcel?", None, "en"),
        ("我的订单在哪里", None, "zh-Hans"),
        ("我的訂單在哪裡", None, "zh-Hant"),
        ("台灣", None, "zh-Hant"),
        ("退款", None, None),
        ("退款", "zh-Hant", "zh-Hant"),
        ("退款", "en", "zh-Hans"),
        ("12345", None, None),
        ("ORD-2026-000123", "zh-Hans", "zh-Hans"),
        ("a@example.com", "zh-Hant", "zh-Hant"),
        ("ok", "zh-Hans", "zh-Hans"),
        ("ok", None, "en"),
        ("my iPhone 訂單", "en", "zh-Hant"),
        ("What does 保固 mean here?", "zh-Hant", "en"),
        ("これは何ですか", "en", "en"),
        ("", None, None),
    ],
)
def test_locale(text: str, previous: str | None, expected: str | None) -> None:
    assert detect_locale(text, previous) == expected


def test_is_chinese_in_either_script() -> None:
    assert is_chinese("order 訂單")
    assert not is_chinese("order ORD-1")


def test_to_script_changes_characters_and_keeps_words() -> None:
    assert to_script("软件和头发", "zh-Hant") == "軟件和頭髮"
    assert to_script("軟體和頭髮", "zh-Hans") == "软体和头发"
    assert to_script("皇后", "zh-Hant") == "皇后"
    assert to_script("Hello", "zh-Hans") == "Hello"
    assert to_script("软件", "en") == "软件"


def test_jieba_is_silent_and_leaves_nothing_in_the_temporary_folder(tmp_path: Path) -> None:
    code = "from steward.kit.text import terms; terms('我的订单什么时候发货')"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []


def test_load_may_be_called_again() -> None:
    load()
    load()

    assert logging.getLogger("jieba").level == logging.ERROR
