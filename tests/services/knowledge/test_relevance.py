"""How well the right answers are found. What the sets are and are not worth: docs/decisions/0015-search.md."""

import csv
import io
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np
import pytest

import steward.bootstrap
from steward.kit.text import detect_locale
from steward.services.knowledge.api import DocumentInput, FaqInput, Hit, SearchFilters
from steward.services.knowledge.confidence import ANSWERED
from steward.services.knowledge.corpus_index import CorpusIndex, build_index
from steward.services.knowledge.features import HASH_BITS, KEY, query_features
from steward.services.knowledge.indexing import document_source, faq_source, prepare
from steward.services.knowledge.records import ChunkRow, Passage, Source
from steward.services.knowledge.searching import Wanted, hits_of

HERE = Path(__file__).parent
DEMO = Path(steward.bootstrap.__file__).parent / "demo" / "faqs.csv"
SHARED = HERE.parents[2].parent / "shared" / "data" / "retrieval"
SALT = 7
ALL = slice(None)
UNSEEN = slice(1, None, 2)
"""The lines of `reworded.jsonl` whose misses nobody looked at."""


def index_of(sources: Sequence[Source]) -> CorpusIndex:
    chunks, passages = [], []
    for each in prepare(SALT, sources):
        for chunk in each.chunks:
            source, number = each.source, len(chunks)
            sizes = {"text_terms": chunk.text_terms, "title_terms": chunk.title_terms}
            chunks.append(ChunkRow(number=number, vector=chunk.vector, extra=chunk.extra, **sizes))
            shown = {name: getattr(source, name) for name in ("kind", "title", "locale", "category", "tags")}
            at = {"number": number, "source_id": source.id, "ordinal": chunk.ordinal}
            passages.append(Passage(text=chunk.body, **at, **shown))
    return build_index(1, chunks, passages)


@cache
def demo() -> CorpusIndex:
    rows = list(csv.DictReader(io.StringIO(DEMO.read_text(encoding="utf-8"))))
    return index_of(
        [faq_source(row.pop("id"), FaqInput(keywords=row.pop("keywords").split("; "), **row)) for row in rows]
    )


def ask(index: CorpusIndex, query: str, k: int = 10) -> Sequence[Hit]:
    features = query_features(SALT, query)
    wanted = Wanted(query=query, k=k, filters=SearchFilters(), locale=detect_locale(query), features=features)
    return hits_of(wanted, index.search(features), index.passages.__getitem__) if len(features.hashes) else ()


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def found(name: str, part: slice = ALL) -> tuple[float, float]:
    """Shares of questions whose answer is first, and within three; in either script where the question tells none."""
    first = three = 0
    questions = lines(HERE / name)[part]
    for each in questions:
        told = detect_locale(each["query"]) is not None
        wanted = each["faq"] if told else each["faq"].rpartition(".")[0]
        right = [
            (hit.document_id if told else hit.document_id.rpartition(".")[0]) == wanted
            for hit in ask(demo(), each["query"], 3)
        ]
        first += any(right[:1])
        three += any(right)
    return first / len(questions), three / len(questions)


def test_development_questions_do_not_get_worse() -> None:
    first, three = found("development.jsonl")
    assert first >= 0.99
    assert three >= 0.99


def test_labelled_questions_reach_the_aim() -> None:
    """Weights were chosen by the set's total figures, never by its misses."""
    first, three = found("labelled.jsonl")
    assert first >= 0.90
    assert three >= 0.97


def test_reworded_questions_do_not_get_worse() -> None:
    """Floors. The aim of 90 % and 97 % is not met on questions that nobody looked at."""
    first, three = found("reworded.jsonl")
    assert first >= 0.89
    assert three >= 0.94
    first, three = found("reworded.jsonl", UNSEEN)
    assert first >= 0.85
    assert three >= 0.89


@pytest.mark.parametrize("name", ["off_topic.jsonl", "off_topic_unseen.jsonl"])
def test_few_questions_about_something_else_are_taken_for_answered(name: str) -> None:
    hits = [ask(demo(), each["query"], 1) for each in lines(HERE / name)]
    assert sum(bool(hit) and hit[0].confidence >= ANSWERED for hit in hits) <= 0.06 * len(hits)


def test_right_answers_are_mostly_sure() -> None:
    hits = [(ask(demo(), each["query"], 1), each["faq"]) for each in lines(HERE / "reworded.jsonl")]
    right = [hit[0].confidence for hit, faq in hits if hit and hit[0].document_id == faq]
    assert sum(each >= ANSWERED for each in right) >= 0.9 * len(right)


@pytest.mark.parametrize(
    "query",
    [
        "多久之內可以退貨？",
        "多久之内可以退货？",
        "退貨期限是多久",
        "你们的退货政策是什么",
        "How many days do I have to return something?",
        "what is your return policy",
    ],
)
def test_questions_about_a_policy_are_answered_surely(query: str) -> None:
    best = ask(demo(), query, 1)[0]
    assert best.document_id.rpartition(".")[0] == "return-policy"
    assert best.confidence >= 0.85


def test_an_english_question_finds_a_chinese_answer_where_there_is_no_other() -> None:
    faqs = [
        ("a", FaqInput(question="退款多久會入帳？", answer="七個工作天內。")),
        ("b", FaqInput(question="門市幾點打烊？", answer="晚上九點。")),
        ("c", FaqInput(question="如何修改收件地址？", answer="到「我的訂單」。")),
    ]
    index = index_of([faq_source(faq_id, faq) for faq_id, faq in faqs])
    assert [ask(index, each)[0].document_id for each in ("when will I get my money back", "closing time")] == ["a", "b"]


def test_a_faq_is_found_by_its_other_languages_and_shown_in_that_of_the_question() -> None:
    faqs = [
        ("lamp.zh-Hant", FaqInput(question="檯燈的亮度", answer="共有三段。", locale="zh-Hant")),
        ("lamp.en", FaqInput(question="Brightness", answer="Three steps.", keywords=["lumina 3000"], locale="en")),
        ("radio.zh-Hant", FaqInput(question="收音機的電台", answer="共有五個。", locale="zh-Hant")),
    ]
    index = index_of([faq_source(faq_id, faq) for faq_id, faq in faqs])
    assert ask(index, "lumina 3000 收音機 亮度")[0].document_id == "lamp.zh-Hant"
    assert [hit.document_id for hit in ask(index, "請問 lumina 3000 的亮度")] == ["lamp.zh-Hant", "lamp.en"]


def test_a_word_whose_name_in_the_index_is_that_of_a_whole_question_is_worth_no_more_than_a_word() -> None:
    chance = Random(1)
    made = ["".join(chance.choices("bcdfghjkmnpqrtvwxz", k=8)) for _ in range(40_000)]
    words = {crc32(word.encode(), SALT) >> HASH_BITS: word for word in made[20_000:]}
    key, word = next((key, words[name]) for key in made[:20_000] if (name := _name_of(key)) in words)
    right, wrong = FaqInput(question=f"Where is {key} now", answer="Here."), FaqInput(question=word, answer="No.")
    index = index_of([faq_source("right", right), faq_source("wrong", wrong)])
    assert next(hit.document_id for hit in ask(index, key)) == "right"


def _name_of(key: str) -> int:
    """What the index calls the question that is this key."""
    features = query_features(SALT, key)
    return int(features.hashes[features.kinds == KEY][0])


@pytest.mark.parametrize(("name", "floor"), [("stackfaq", 0.780), ("cmrc2018-dev", 0.981)])
def test_shared_sets_are_above_plain_bm25(name: str, floor: float) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"{SHARED / name} is absent: the public sets were NOT measured")
    corpus = lines(SHARED / name / "corpus.jsonl")
    documents = [document_source(each["_id"], DocumentInput(title=each["title"], text=each["text"])) for each in corpus]
    index = index_of(documents)
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (SHARED / name / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        relevant[query][document] = int(grade)
    queries = lines(SHARED / name / "queries.jsonl")[::4]
    scores = [ndcg([hit.document_id for hit in ask(index, each["text"])], relevant[each["_id"]]) for each in queries]
    assert float(np.mean(scores)) > floor


def ndcg(ranked: Sequence[str], relevant: Mapping[str, int]) -> float:
    gains = sum((2 ** relevant.get(each, 0) - 1) / math.log2(at + 2) for at, each in enumerate(ranked))
    ideal = sorted(relevant.values(), reverse=True)[:10]
    return gains / sum((2**grade - 1) / math.log2(at + 2) for at, grade in enumerate(ideal))
