"""What is compared when a query meets a chunk: terms, concepts, neighbours, pieces of words, whole questions.

A feature is hashed by CRC-32, begun with a value of the tenant's own: in the index that all tenants share, two tenants
have no entry in common. 32 bits name a term in the index, the upper 24 of them a feature in a chunk's vector, of which
each entry is `24 bits of hash | 4 bits of count in the text | 2 bits in the title | 2 bits in the tags`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple
from zlib import crc32

import msgspec
import numpy as np

from steward.kit.ids import TenantId
from steward.kit.text import commonness, fold, terms_of_folded
from steward.services.knowledge.concepts import Mention, concepts_of, mentions, strengths
from steward.services.knowledge.synonyms import synonyms_of

_PAIR: Final = "\x01"
_GRAM: Final = "\x02"
_KEY: Final = "\x03"
_TITLE: Final = "\x04"
_MARK: Final = "\x05"
_CONCEPT: Final = "\x06"

HASH_BITS: Final = 8
"""How far a hash is to the left of its counts."""
COMMON: Final = 0.6
"""What the most common words of a language lose of their weight."""
SYNONYM_WEIGHT: Final = 0.5
"""What a synonym counts of the word itself."""
_HASH: Final = 0xFFFFFF00
_TEXT_MOST: Final = 15
_FIELD_MOST: Final = 3
_GRAM_LENGTH: Final = 4
_WORDS: Final = re.compile(r"[a-z]{3,40}")
_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_NOT_KEY: Final = re.compile(r"[\W_]+")
_MOST_WORDS: Final = 200

WORD, PAIR, GRAM, KEY, SYNONYM, CONCEPT = range(6)
"""Kinds of features of a query."""


class ChunkFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk as the index holds it."""

    terms: Sequence[int]
    """Signed 32-bit hashes by which it is found."""
    vector: bytes
    """Entries of words and keys."""
    extra: bytes
    """Entries of pairs and grams."""
    text_terms: int
    title_terms: int


class _Feature(NamedTuple):
    kind: int
    term: int
    weight: float
    group: int


class QueryFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """A query, ready to be compared."""

    terms: Sequence[int]
    """Signed hashes of words, of the words in a title, and of the key."""
    hashes: "np.ndarray[tuple[int], np.dtype[np.uint32]]"
    """24-bit hashes, sorted."""
    kinds: "np.ndarray[tuple[int], np.dtype[np.uint8]]"
    word_terms: Sequence[int]
    """For each of `hashes` the signed hash, of which the index knows in how many chunks it is."""
    weights: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    """How much each of `hashes` counts: less for synonyms and what is common in the language, more for long phrases."""
    groups: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    """The word of the query that each of `hashes` is or stands for; -1 where it is no word."""
    words: int
    """How many words the query has."""
    meant: Sequence[tuple[int, Sequence[int]]]
    """For each concept its place in `hashes`, and the words that say it or are part of a phrase that does."""


def salt_of(tenant: TenantId) -> int:
    """Where the hashes of a tenant begin."""
    return crc32(tenant.bytes)


def key_of(text: str) -> str:
    """The text without punctuation and spaces, folded: equal for texts that differ in those only."""
    return _NOT_KEY.sub("", fold(text))


def mark_of(salt: int, name: str, value: str) -> int:
    """The term of a property that a search may ask for, such as a tag."""
    return _signed(crc32(f"{_MARK}{name}={value}".encode(), salt))


def chunk_features(
    salt: int, *, title: str, body: str, tags: Sequence[str], keys: Iterable[str], marks: Iterable[int]
) -> ChunkFeatures:
    """Analyse a chunk. `keys` are what it is an exact answer to, `marks` its properties."""
    folded_title, folded_body = fold(title), fold(body)
    in_title, in_body = terms_of_folded(folded_title), terms_of_folded(folded_body)
    title_words, body_words = tuple(in_title), tuple(in_body)
    folded_tags = [fold(tag) for tag in tags]
    in_tags = [term for tag in folded_tags for term in terms_of_folded(tag)]
    text = Counter(in_title)
    text.update(in_body)
    text.update(in_tags)
    length = sum(text.values())
    answered = [key for key in keys if key]
    for field, said in ((in_title, folded_title), (in_body, folded_body), (in_tags, " ; ".join(folded_tags))):
        concepts = [_CONCEPT + concept for concept in concepts_of(said)]
        text.update(concepts)
        field.extend(concepts)
        if field is in_title and answered:
            # What a FAQ asks is what it is about, as a tag tells; the title of a document may be anything.
            in_tags.extend(concepts)
    hashes = {word: crc32(word.encode(), salt) for word in text}
    vector = {hashes[word]: _count(count, _TEXT_MOST) << 4 for word, count in text.items()}
    for field, shift in ((in_title, 2), (in_tags, 0)):
        for word, count in Counter(field).items():
            vector[hashes[word]] |= _count(count, _FIELD_MOST) << shift
    key_hashes = {crc32(f"{_KEY}{key}".encode(), salt) for key in answered}
    vector.update(dict.fromkeys(key_hashes, 1 << 2))
    in_titles = {crc32(f"{_TITLE}{word}".encode(), salt) for word in title_words}
    return ChunkFeatures(
        terms=[*map(_signed, {*hashes.values(), *key_hashes, *in_titles}), *marks],
        vector=_packed(vector),
        extra=_packed(_extra(salt, (folded_title, title_words), (folded_body, body_words))),
        text_terms=length,
        title_terms=len(title_words),
    )


def query_features(salt: int, query: str) -> QueryFeatures:
    """Analyse a query; of a very long one its first 200 words."""
    folded = fold(query)
    words = list(dict.fromkeys(terms_of_folded(folded)))[:_MOST_WORDS]
    key = key_of(folded)
    found: dict[int, _Feature] = {}

    def add(kind: int, name: str, weight: float, group: int = -1) -> None:
        whole = crc32(name.encode(), salt)
        found.setdefault(whole >> HASH_BITS, _Feature(kind, _signed(whole), weight, group))

    for group, word in enumerate(words):
        add(WORD, word, _prior(word), group)
    for group, word in enumerate(words):
        for other in synonyms_of(word):
            add(SYNONYM, other, SYNONYM_WEIGHT * _prior(word), group)
    for pair in dict.fromkeys(_pairs(folded, words)):
        add(PAIR, _PAIR + pair, _prior(pair))
    for gram in dict.fromkeys(_grams(folded)):
        add(GRAM, _GRAM + gram, _prior(gram))
    if key:
        add(KEY, _KEY + key, 1.0)
    said = mentions(folded)
    for concept, weight in strengths(said).items():
        add(CONCEPT, _CONCEPT + concept, weight)
    order = sorted(found)
    features = [found[each] for each in order]
    in_titles = [_signed(crc32(f"{_TITLE}{word}".encode(), salt)) for word in words]
    return QueryFeatures(
        terms=[*(each.term for each in features if each.kind in {WORD, KEY, SYNONYM, CONCEPT}), *in_titles],
        hashes=np.array(order, dtype=np.uint32),
        kinds=np.array([each.kind for each in features], dtype=np.uint8),
        word_terms=[each.term for each in features],
        weights=np.array([each.weight for each in features]),
        groups=np.array([each.group for each in features], dtype=np.int64),
        words=len(words),
        meant=_meant(salt, said, words, order),
    )


def _meant(
    salt: int, said: Sequence[Mention], words: Sequence[str], order: Sequence[int]
) -> list[tuple[int, list[int]]]:
    """By the place of a concept, the words that say it."""
    places = {hash_: at for at, hash_ in enumerate(order)}
    groups = {word: group for group, word in enumerate(words)}
    found: dict[int, dict[int, None]] = {}
    for mention in said:
        at = places[crc32(f"{_CONCEPT}{mention.concept}".encode(), salt) >> HASH_BITS]
        spoken = {groups[word]: None for piece in mention.said for word in terms_of_folded(piece) if word in groups}
        found.setdefault(at, {}).update(spoken)
    return [(at, list(spoken)) for at, spoken in found.items()]


def _prior(word: str) -> float:
    return 1 - COMMON * commonness(word)


def _extra(salt: int, title: tuple[str, Sequence[str]], body: tuple[str, Sequence[str]]) -> dict[int, int]:
    """Entries of the pairs of both fields, each given folded and as words, and of the title's grams."""
    counted = Counter(_pairs(*title))
    counted.update(_pairs(*body))
    entries = {
        crc32(f"{_PAIR}{pair}".encode(), salt): _count(count, _TEXT_MOST) << 4 for pair, count in counted.items()
    }
    entries.update((crc32(f"{_GRAM}{gram}".encode(), salt), 1 << 2) for gram in set(_grams(title[0])))
    return entries


def _count(count: int, most: int) -> int:
    return count if count < most else most  # noqa: FURB136 a call of min takes three times as long, and this is called for each term


def _pairs(folded: str, words: Sequence[str]) -> list[str]:
    """Chinese characters side by side, and English words: what segmentation and stop words take apart."""
    found: list[str] = []
    for run in _HAN.findall(folded):
        found += [one + other for one, other in pairwise(run)] if len(run) > 1 else [run]
    found += [f"{one} {other}" for one, other in pairwise(words) if one.isascii() and other.isascii()]
    return found


def _grams(folded: str) -> Iterable[str]:
    """Pieces of words, by which a misspelt one is still like the right one."""
    for match in _HAN.finditer(folded):
        run = match.group()
        yield from (run[at : at + 2] for at in range(len(run) - 1))
    for match in _WORDS.finditer(folded):
        word = f"^{match.group()}$"
        yield from (word[at : at + _GRAM_LENGTH] for at in range(len(word) - _GRAM_LENGTH + 1))


def _packed(entries: Mapping[int, int]) -> bytes:
    hashes = np.fromiter(entries.keys(), dtype="<u4", count=len(entries)) & _HASH
    return (hashes | np.fromiter(entries.values(), dtype="<u4", count=len(entries))).tobytes()


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value
