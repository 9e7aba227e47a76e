"""How well the right answers are found. What the sets are and are not worth: docs/decisions/0015-search.md."""

import csv
import io
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import steward.bootstrap
from steward.kit.text import detect_locale
from steward.services.knowledge.api import DocumentInput, FaqInput, Hit, SearchFilters
from steward.services.knowledge.confidence import ANSWERED
from steward.services.knowledge.corpus_index import CorpusIndex, build_index
from steward.services.knowledge.features import query_features
from steward.services.knowledge.indexing import document_source, faq_source, prepare
from steward.services.knowledge.records import ChunkRow, Passage, Source
from steward.services.knowledge.searching import Wanted, hits_of

HERE = Path(__file__).parent
DEMO = Path(steward.bootstrap.__file__).parent / "demo" / "faqs.csv"
SHARED = HERE.parents[2].parent / "shared" / "data" / "retrieval"
SALT = 7


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


def found(name: str) -> tuple[float, float]:
    """Shares of questions whose answer is first, and within three; in either script where the question tells none."""
    first = three = 0
    questions = lines(HERE / name)
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
    assert first >= 0.95
    assert three >= 0.99


def test_new_questions_do_not_get_worse() -> None:
    """A floor under the first measurement; far from the aim of 90 % and 97 %."""
    first, three = found("labelled.jsonl")
    assert first >= 0.45
    assert three >= 0.62


def test_few_questions_about_something_else_are_taken_for_answered() -> None:
    hits = [ask(demo(), each["query"], 1) for each in lines(HERE / "off_topic.jsonl")]
    assert sum(bool(hit) and hit[0].confidence >= ANSWERED for hit in hits) <= 0.1 * len(hits)


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
