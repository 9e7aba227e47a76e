"""The order in which search puts the documents of public sets, beside plain BM25 over the same terms."""

import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from steward.kit.text import detect_locale, terms
from steward.services.knowledge.api import DocumentInput, SearchFilters
from steward.services.knowledge.corpus_index import CorpusIndex, build_index
from steward.services.knowledge.features import query_features
from steward.services.knowledge.indexing import document_source, prepare
from steward.services.knowledge.records import ChunkRow, Passage, Source
from steward.services.knowledge.searching import Wanted, hits_of

DATA: Final = Path(
    os.environ.get("STEWARD_RETRIEVAL_DATA", Path(__file__).parents[2] / "shared" / "data" / "retrieval")
)
DEPTH: Final = 10
_SALT: Final = 7
_K1: Final = 1.2
_B: Final = 0.75

Ranker = Callable[[str], Sequence[str]]
Lines = Sequence[Mapping[str, str]]


class Quality(NamedTuple):
    """Mean nDCG@10 of one set."""

    queries: int
    ours: float
    bm25: float


def quality(name: str) -> Quality:
    """Of a set in BEIR's form: corpus.jsonl, queries.jsonl, qrels.tsv."""
    corpus, queries = _lines(DATA / name / "corpus.jsonl"), _lines(DATA / name / "queries.jsonl")
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (DATA / name / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        relevant[query][document] = int(grade)
    judged = [each for each in queries if each["_id"] in relevant]

    def mean(rank: Ranker) -> float:
        return float(np.mean([ndcg(rank(each["text"]), relevant[each["_id"]]) for each in judged]))

    return Quality(len(judged), mean(_ours(corpus)), mean(_bm25(corpus)))


def ndcg(ranked: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Normalised discounted cumulative gain of the first ten, gain 2^grade - 1 (Burges et al. 2005)."""
    gains = sum((2 ** relevant.get(each, 0) - 1) / math.log2(at + 2) for at, each in enumerate(ranked[:DEPTH]))
    ideal = sorted(relevant.values(), reverse=True)[:DEPTH]
    return gains / sum((2**grade - 1) / math.log2(at + 2) for at, grade in enumerate(ideal))


def index_of(sources: Sequence[Source]) -> CorpusIndex:
    """The index that a small corpus has in memory."""
    chunks: list[ChunkRow] = []
    passages: list[Passage] = []
    for source, prepared in ((each.source, each.chunks) for each in prepare(_SALT, sources)):
        for chunk in prepared:
            chunks.append(
                ChunkRow(
                    number=len(chunks),
                    vector=chunk.vector,
                    extra=chunk.extra,
                    text_terms=chunk.text_terms,
                    title_terms=chunk.title_terms,
                )
            )
            passages.append(
                Passage(
                    number=len(passages),
                    source_id=source.id,
                    ordinal=chunk.ordinal,
                    kind=source.kind,
                    title=source.title,
                    text=chunk.body,
                    locale=source.locale,
                    category=source.category,
                    tags=source.tags,
                )
            )
    return build_index(1, chunks, passages)


def ask(index: CorpusIndex, query: str) -> Sequence[str]:
    """The ids of the documents that search finds, best first; all that a search does but the database and caches."""
    features = query_features(_SALT, query)
    if not len(features.hashes):
        return ()
    wanted = Wanted(query=query, k=DEPTH, filters=SearchFilters(), locale=detect_locale(query), features=features)
    return [hit.document_id for hit in hits_of(wanted, index.search(features), index.passages.__getitem__)]


def _ours(corpus: Lines) -> Ranker:
    index = index_of(
        [document_source(each["_id"], DocumentInput(title=each["title"], text=each["text"])) for each in corpus]
    )
    return lambda query: ask(index, query)


def _bm25(corpus: Lines) -> Ranker:
    """Okapi BM25 with the idf of Lucene, over the terms of title and text together."""
    counted = [Counter(terms(f"{each['title']}\n{each['text']}")) for each in corpus]
    lengths = np.array([sum(each.values()) for each in counted], dtype=np.float64)
    norm = _K1 * (1 - _B + _B * lengths / lengths.mean())
    postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, each in enumerate(counted):
        for term, count in each.items():
            postings[term].append((row, count))

    def rank(query: str) -> Sequence[str]:
        scores = np.zeros(len(corpus))
        for term in set(terms(query)):
            found = np.array(postings.get(term, []), dtype=np.int64).reshape(-1, 2)
            idf = math.log1p((len(corpus) - len(found) + 0.5) / (len(found) + 0.5))
            rows, counts = found[:, 0], found[:, 1]
            scores[rows] += idf * counts * (_K1 + 1) / (counts + norm[rows])
        best = np.argsort(-scores, kind="stable")[:DEPTH]
        return [corpus[row]["_id"] for row in best.tolist() if scores[row] > 0]

    return rank


def _lines(path: Path) -> Lines:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
