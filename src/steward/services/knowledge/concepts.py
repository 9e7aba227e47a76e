"""What a text speaks of, in whatever words: finds the groups of `concepts.txt` in it, the same in all languages."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec

from steward.kit.text import fold, is_chinese, stem

CHARACTER: Final = 0.6
"""What a Chinese character is of the length of a phrase; an English word is 1."""
LONG: Final = 4
LENGTH_POWER: Final = 0.7
AMBIGUITY: Final = 0.7
FURTHER: Final = 0.5
"""What further mentions of a concept count."""
MOST_SURE: Final = 2.5

_ONE: Final = (1,)
_GAP: Final = "~"
_NEVER: Final = "\x00"
"""Ends a sentence: in no phrase, and no gap reaches over it."""
_ENGLISH_GAP: Final = 3
_CHINESE_GAP: Final = 6
_LATIN: Final = re.compile(r"[a-z0-9]+(?:['\u2019-][a-z0-9]+)*|[.!?;\u3002]")
_ENDS: Final = ".!?;\u3002"
_SENTENCE: Final = re.compile(r"[\u3002!?;\n]")
_BLANK: Final = re.compile(r"\s+")
_NOT: Final = "not"
_NEGATIONS: Final = frozenset(["not", "never", "cannot", "cant", "dont", "doesnt", "didnt", "isnt", "wasnt", "wont"])
_WORDS: Final = """
a an the my your our his her their its this that these those some it i me we us you he she they there to
have has had having ive youve weve is are was were am be been being im youre were will would ill youd id shall should
do does did doing can could may might please just really already so very and or but if then of at as ever
"""
_DROPPED: Final = frozenset(_WORDS.split())
"""Words that may stand in a phrase or not. Little words that tell phrases apart (on, off, back, for, with) stay."""
_NUMBER: Final = "0"
"""Stands for every number, so that phrases need not name them."""
_NUMBERS: Final = frozenset(
    [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "fifteen",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
        "hundred",
        "thousand",
        "couple",
        "several",
    ]
)
_FORMS: Final = """
sent:send paid:pay bought:buy broke:break broken:break lost:lose got:get gotten:get went:go gone:go came:come took:take
taken:take gave:give given:give forgot:forget forgotten:forget stolen:steal stole:steal sold:sell thrown:throw
threw:throw wrote:write written:write chose:choose chosen:choose found:find held:hold told:tell spent:spend kept:keep
left:leave fell:fall fallen:fall worn:wear said:say says:say shown:show ran:run spoke:speak spoken:speak nobody:noone
"""
_FORM: Final[Mapping[str, str]] = {form: base for form, _, base in (each.partition(":") for each in _FORMS.split())}


class Mention(NamedTuple):
    """A concept where a text speaks of it."""

    concept: str
    said: Sequence[str]
    """The pieces of the text that say it: English words as they stand, Chinese runs."""


class _Meaning(NamedTuple):
    """What a piece of a phrase may say."""

    concepts: list[str]
    """By itself."""
    gapped: list[tuple[Sequence[Sequence[str]], str]]
    """With further pieces."""


class _Table(msgspec.Struct, frozen=True):
    """Phrases as sequences of tokens: tuples of English words, or strings of Chinese characters."""

    pieces: dict[Sequence[str], _Meaning]
    lengths: dict[Sequence[str], tuple[int, ...]]
    """By their first two tokens how long pieces are, the longest first, and 1."""
    gap: int


def mentions(folded: str) -> list[Mention]:
    """The concepts of a folded text in their order, with repetitions; of phrases within another only the longest."""
    english, chinese = _tables()
    words = [(token, word) for word in _LATIN.findall(folded) for token in _tokens(word)]
    tokens = tuple(token for token, _ in words)
    found = [
        Mention(concept, [words[at][1] for start, end in spans for at in range(start, end)])
        for concept, spans in _matches(english, tokens)
    ]
    text = _chinese(folded)
    return found + [
        Mention(concept, [text[start:end] for start, end in spans]) for concept, spans in _matches(chinese, text)
    ]


def concepts_of(folded: str) -> list[str]:
    """As `mentions`, without telling how they are said: for texts that are indexed."""
    english, chinese = _tables()
    tokens = tuple(token for word in _LATIN.findall(folded) for token in _tokens(word))
    found = [concept for concept, _ in _matches(english, tokens)]
    return found + [concept for concept, _ in _matches(chinese, _chinese(folded))]


def _chinese(folded: str) -> str:
    return "" if folded.isascii() else _BLANK.sub("", _SENTENCE.sub(_NEVER, folded))


def strengths(said: Sequence[Mention]) -> Mapping[str, float]:
    """How surely each concept is meant: more by a long phrase, less by one that may mean others, more by several."""
    meanings = Counter(tuple(each.said) for each in said)
    found: dict[str, list[float]] = {}
    for each in said:
        length = sum(1 if piece.isascii() else CHARACTER * len(piece) for piece in each.said)
        sureness = min(length, LONG) ** LENGTH_POWER / meanings[tuple(each.said)] ** AMBIGUITY
        found.setdefault(each.concept, []).append(sureness)
    return {concept: min(_together(ways), MOST_SURE) for concept, ways in found.items()}


def _together(ways: Sequence[float]) -> float:
    best = max(ways)
    return best + FURTHER * (sum(ways) - best)


def load() -> None:
    """Read the lexicon, where that has not been done yet: 0.15 s, so call it in a thread when a service starts."""
    _tables()


def _matches(table: _Table, tokens: Sequence[str]) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    covered, count = 0, len(tokens)
    pieces, lengths = table.pieces, table.lengths
    for start in range(count):
        for length in lengths.get(tokens[start : start + 2], _ONE):
            end = start + length
            meaning = pieces.get(tokens[start:end]) if end <= count else None
            if meaning is None:
                continue
            for concept, spans in _gapped(table, tokens, end, meaning):
                yield concept, [(start, end), *spans]
            if end > covered and meaning.concepts:
                covered = end
                for concept in meaning.concepts:
                    yield concept, [(start, end)]


def _gapped(
    table: _Table, tokens: Sequence[str], end: int, meaning: _Meaning
) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """The concepts that a first piece says with further ones, and where those are; each once."""
    seen = ""
    for further, concept in meaning.gapped:
        spans = _further(tokens, end, further, table.gap) if concept != seen else None
        if spans is not None:
            seen = concept
            yield concept, spans


def _further(
    tokens: Sequence[str], start: int, pieces: Sequence[Sequence[str]], gap: int
) -> list[tuple[int, int]] | None:
    """Where the further pieces of a phrase stand, each soon after the one before; None where one is missing."""
    spans: list[tuple[int, int]] = []
    for piece in pieces:
        length = len(piece)
        for at in range(start, start + gap + 1):
            if tokens[at : at + length] == piece:
                break
            if tokens[at : at + 1] in {_NEVER, (_NEVER,)}:
                return None
        else:
            return None
        start = at + length
        spans.append((at, start))
    return spans


@lru_cache(maxsize=20_000)
def _tokens(word: str) -> tuple[str, ...]:
    """The form of an English word in which phrases are compared; none of words that may be left out."""
    if word in _ENDS:
        return (_NEVER,)
    if "-" in word:
        return tuple(token for part in word.split("-") for token in _tokens(part))
    if word.endswith(("n't", "n\u2019t")):
        return (_NOT,)
    plain = word.partition("'")[0].partition("\u2019")[0]
    if plain in _NEGATIONS or word in _NEGATIONS:
        return (_NOT,)
    if plain in _DROPPED:
        return ()
    if plain.isdigit() or plain in _NUMBERS:
        return (_NUMBER,)
    return (stem(_FORM.get(plain, plain)),)


@cache
def _tables() -> tuple[_Table, _Table]:
    english, chinese = _Table({}, {}, _ENGLISH_GAP), _Table({}, {}, _CHINESE_GAP)
    concept = ""
    for line in files("steward.services.knowledge").joinpath("concepts.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):
            concept = line.partition("#")[0].strip() or concept
            continue
        for phrase in line.split(","):
            folded = fold(phrase)
            han = is_chinese(folded)
            parts = [part.strip() for part in folded.split(_GAP)]
            pieces = [_BLANK.sub("", part) if han else _phrase(part) for part in parts]
            # A phrase of which one word is left, such as `sent me a`, would stand for that word.
            if han or len(folded.split()) == 1 or len(pieces) > 1 or len(pieces[0]) > 1:
                _put(chinese if han else english, pieces, concept)
    return english, chinese


def _phrase(part: str) -> tuple[str, ...]:
    return tuple(token for word in _LATIN.findall(part) for token in _tokens(word))


def _put(table: _Table, pieces: Sequence[Sequence[str]], concept: str) -> None:
    head, *tail = [piece for piece in pieces if piece] or [()]
    if not head:
        return
    meaning = table.pieces.setdefault(head, _Meaning([], []))
    if tail:
        meaning.gapped.append((tail, concept))
    elif concept not in meaning.concepts:
        meaning.concepts.append(concept)
    if len(head) > 1:
        known = table.lengths.get(head[:2], _ONE)
        table.lengths[head[:2]] = tuple(sorted({*known, len(head)}, reverse=True))
