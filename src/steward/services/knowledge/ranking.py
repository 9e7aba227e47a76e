"""How well chunks fit a query: BM25 over fields, with concepts, neighbours and pieces of words beside the words.

score = BM25(text) + 0.7 BM25(title) + tags + 0.25 BM25(pairs) + 0.1 grams of the title + 12 for the whole question
+ by concept, as surely as it is meant: 0.3 BM25(text) + 0.3 BM25(title) + 3.5 tags, of which a FAQ's question is one.
BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), 3.4 and 3.5, with
the idf of Lucene, log(1 + (N - n + 0.5) / (n + 0.5)). The text includes title and tags. Constants were measured on
`bench/knowledge.py`'s sets; see docs/decisions/0015-search.md.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from steward.services.knowledge.features import CONCEPT, GRAM, HASH_BITS, KEY, PAIR, SYNONYM, WORD, QueryFeatures

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Entries = np.ndarray[tuple[int], np.dtype[np.uint32]]

K1: Final = 1.5
B: Final = 0.8
TITLE_K1: Final = 1.2
TITLE_B: Final = 0.3
TITLE_WEIGHT: Final = 0.7
TAGS_WEIGHT: Final = 1.0
PAIR_WEIGHT: Final = 0.25
GRAM_WEIGHT: Final = 0.1
KEY_WEIGHT: Final = 12.0
CONCEPT_TEXT: Final = 0.3
CONCEPT_TITLE: Final = 0.3
CONCEPT_TAGS: Final = 3.5
CONCEPT_TAGS_K1: Final = 0.5
CONCEPT_COVERS: Final = 0.8
"""What a concept counts of a word that says it."""
_BUCKETS: Final = 1 << 15
SYNONYM_COVERS: Final = 0.7
"""What a synonym counts of a word that is asked how much of a query is there."""


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """How many terms the chunks have, and have on average in the whole corpus."""

    text: Floats
    title: Floats
    mean_text: float
    mean_title: float


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """Which chunk has which feature of the query: three columns of equal length."""

    rows: Ints
    at: Ints
    """Place in the query's features."""
    entries: Entries


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """By chunk; what is told of words and concepts is their share of all in the query, by weight."""

    total: Floats
    strength: Floats
    """The total, in units of a word that no other chunk has: comparable between corpora of different sizes."""
    covered: Floats
    """Words that stand anywhere in the chunk."""
    meant: Floats
    """Share of the query's concepts that its title or tags speak of."""
    keyed: Floats
    """Above 0 where the query is a whole question of the chunk's, by hash."""


def score(
    query: QueryFeatures, matches: Matches, lengths: Lengths, *, chunks: int, known: Mapping[int, int] | None = None
) -> Scores:
    """Score chunks. `known` tells in how many of all `chunks` a term is; None where the chunks given are all."""
    rows, at, count = matches.rows, matches.at, len(lengths.text)
    kinds = query.kinds[at]
    text = ((matches.entries >> 4) & 15).astype(np.float64)
    title = ((matches.entries >> 2) & 3).astype(np.float64)
    tags = (matches.entries & 3).astype(np.float64)
    features = len(query.hashes)
    idf = _idf(np.bincount(at, minlength=features), count)
    concepts = query.kinds == CONCEPT
    words = (query.kinds == WORD) | (query.kinds == SYNONYM) | concepts
    if known is not None:
        of_all = np.array([known.get(term, 0) for term in query.word_terms], dtype=np.float64)
        idf = np.where(words, _idf(of_all, chunks), idf)
    title_idf = _idf(np.bincount(at, weights=title > 0, minlength=features), chunks)
    norm = K1 * (1 - B + B * lengths.text / lengths.mean_text)
    title_norm = TITLE_K1 * (1 - TITLE_B + TITLE_B * lengths.title / lengths.mean_title)
    in_text = idf[at] * text * (K1 + 1) / (text + norm[rows])
    in_title = title_idf[at] * title * (TITLE_K1 + 1) / (title + title_norm[rows])
    # A key's entry has no count in the text: 24 bits may be those of a word too, which is worth no whole question.
    whole = (kinds == KEY) & (text == 0)
    # Nested, for np.select takes ten times as long on what a query matches of a small corpus.
    of_grams = np.where(kinds == GRAM, GRAM_WEIGHT * title_idf[at] * (title > 0), KEY_WEIGHT * whole)
    of_pairs = np.where(kinds == PAIR, PAIR_WEIGHT * in_text, of_grams)
    of_words = in_text + TITLE_WEIGHT * in_title + TAGS_WEIGHT * idf[at] * (tags > 0)
    in_tags = idf[at] * tags * (CONCEPT_TAGS_K1 + 1) / (tags + CONCEPT_TAGS_K1)
    of_concepts = CONCEPT_TEXT * in_text + CONCEPT_TITLE * in_title + CONCEPT_TAGS * in_tags
    gain = np.where(words[at], np.where(concepts[at], of_concepts, of_words), of_pairs)
    gain *= query.weights[at]
    total = _sums(rows, gain, count)
    headed = concepts[at] & ((title > 0) | (tags > 0))
    return Scores(
        total=total,
        strength=total / _idf(np.ones(1), chunks),
        covered=_covered(query, idf, matches, words[at], count),
        meant=_sums(rows[headed], idf[at[headed]], count) / max(float(idf[concepts].sum()), 1e-9),
        keyed=_sums(rows, whole, count),
    )


def _sums(rows: Ints, weights: Floats | Flags, count: int) -> Floats:
    """By row, the sum of the weights at it."""
    return np.bincount(rows, weights=weights, minlength=count).astype(np.float64)


def _covered(query: QueryFeatures, idf: Floats, matches: Matches, chosen: Flags, count: int) -> Floats:
    """By row, the share of the query's words that it has among the chosen matches, by weight."""
    words = max(query.words, 1)
    rows, at = matches.rows[chosen], matches.at[chosen]
    best = np.zeros(count * words)
    kinds = query.kinds[at]
    said = kinds != CONCEPT
    places = rows[said] * words + query.groups[at[said]]
    np.maximum.at(best, places, np.where(kinds[said] == WORD, 1.0, SYNONYM_COVERS))
    table = best.reshape(count, words)
    for concept, groups in query.meant:
        having = rows[at == concept, np.newaxis]
        table[having, groups] = np.maximum(table[having, groups], CONCEPT_COVERS)
    weights = np.zeros(words)
    itself = query.kinds == WORD
    weights[query.groups[itself]] = (query.weights * idf)[itself]
    return table @ weights / max(float(weights.sum()), 1e-9)


def match(query: QueryFeatures, rows: Ints, entries: Entries) -> Matches:
    """The entries of some chunks that are in the query."""
    hashes = entries >> HASH_BITS
    # Looking up all entries would take five times as long, and nearly none of them are in the query.
    asked = np.zeros(_BUCKETS, dtype=np.bool_)
    asked[query.hashes % _BUCKETS] = True
    likely = np.flatnonzero(asked[hashes % _BUCKETS])
    rows, entries, hashes = rows[likely], entries[likely], hashes[likely]
    place = np.searchsorted(query.hashes, hashes)
    place[place == len(query.hashes)] = 0
    same = query.hashes[place] == hashes
    return Matches(rows=rows[same], at=place[same], entries=entries[same])


def _idf(chunks_with: Floats | Ints, chunks: int) -> Floats:
    found = np.minimum(chunks_with.astype(np.float64), chunks)
    return np.log1p((chunks - found + 0.5) / (found + 0.5))
