"""Answers from knowledge: the FAQ's own words, or the sentences of what was found that fit best; never others."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from steward.kit.text import to_script
from steward.services.knowledge.api import Hit, SourceKind
from steward.services.support.api import Citation
from steward.services.support.dialogue.matching import plain
from steward.services.support.dialogue.phrases import PhraseKey
from steward.services.support.dialogue.turn import Turn
from steward.services.support.ports import Language, ModelFailed

FITS: Final = 0.5
"""Below this confidence a hit does not answer the question."""
FITS_WELL: Final = 0.7
"""From here on a hit in another language is worth showing."""
_ASKED: Final = 8
_LONGEST_QUERY: Final = 1000
_MOST_FAQS: Final = 3
_MOST_CHUNKS: Final = 5
_MOST_SENTENCES: Final = 3
_LONGEST_ANSWER: Final = 1500
_NEARLY: Final = 0.9
"""A hit counts as much as the best one from this part of its confidence on."""
_NEW: Final = 2
"""So many parts of the question must be new in a further FAQ."""

_SENTENCE: Final = re.compile(r"[^。！？!?\n.]+(?:[。！？!?]+|\.(?=\s|$)|\.(?=\S)|\n|$)+")
_TOKEN: Final = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")
_STEM: Final = 5
_STOP_WORDS: Final = """
a an and are can could do does for how i if in is it me my of on or our please the there this to was what when where
which will with would you your
"""
_STOP: Final = frozenset(_STOP_WORDS.split())


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, and where it comes from."""

    text: str
    citations: Sequence[Citation]
    faq: str | None
    """The FAQ that was given as the answer."""
    exact: bool = False
    fits_well: bool = False
    degraded: bool = False


async def known(turn: Turn, query: str) -> Found | None:
    """The answer that knowledge surely has to a question, in its own words."""
    found = _chosen(turn, query, await turn.actions.search(query[:_LONGEST_QUERY], k=_ASKED))
    return found if found is not None and (found.exact or found.fits_well) else None


async def look_up(turn: Turn, query: str) -> Found | None:
    """The answer to a question, or None where nothing fits; a model may word it, but not where a FAQ says just it."""
    hits = await turn.actions.search(query[:_LONGEST_QUERY], k=_ASKED)
    found = _chosen(turn, query, hits)
    if found is None or found.exact:
        return found
    try:
        worded = await turn.actions.phrase(query, found.citations, turn.language)
    except ModelFailed:
        return msgspec.structs.replace(found, degraded=True)
    return msgspec.structs.replace(found, text=worded) if worded and worded.strip() else found


def give(turn: Turn, found: Found) -> None:
    """Say what was found, with its citations."""
    turn.say(found.text)
    turn.citations += [each for each in found.citations if each not in turn.citations]
    turn.answered_by = turn.answered_by or found.faq
    turn.degraded = turn.degraded or found.degraded
    turn.from_knowledge = True


def _chosen(turn: Turn, query: str, hits: Sequence[Hit]) -> Found | None:
    own = [hit for hit in hits if _same_language(hit.locale, turn.language)]
    exact = [hit for hit in own if hit.exact and hit.kind is SourceKind.FAQ]
    if exact:
        best = next((hit for hit in exact if hit.locale == turn.language.value), exact[0])
        return _verbatim(best, turn.language)
    fitting = [hit for hit in own if hit.confidence >= FITS]
    if fitting:
        return _composed(query, fitting, turn.language)
    foreign = [hit for hit in hits if hit not in own and (hit.exact or hit.confidence >= FITS_WELL)]
    if not foreign:
        return None
    found = _verbatim(foreign[0], turn.language)
    text = f"{turn.phrase(PhraseKey.OTHER_LANGUAGE)}\n\n{found.text}"
    return msgspec.structs.replace(found, text=text)


def _same_language(locale: str, language: Language) -> bool:
    return (locale == "en") == (language is Language.EN)


def _verbatim(hit: Hit, language: Language) -> Found:
    is_faq = hit.kind is SourceKind.FAQ
    return Found(
        text=to_script(hit.text, language.value),
        citations=[_citation(hit)],
        faq=hit.document_id if is_faq else None,
        exact=hit.exact and is_faq,
    )


def _composed(query: str, hits: Sequence[Hit], language: Language) -> Found:
    """The best FAQ's answer, with further ones for what it leaves out; or the best sentences of documents."""
    best = _in_own_script(hits, language)
    if best.kind is SourceKind.FAQ:
        used = [best, *_further(query, best, hits)]
        pieces = [_shortened(hit.text) for hit in used]
    else:
        used, pieces = _sentences(query, [hit for hit in hits if hit.kind is SourceKind.DOCUMENT][:_MOST_CHUNKS])
    return Found(
        text=to_script("\n\n".join(pieces), language.value),
        citations=[_citation(hit) for hit in used],
        faq=best.document_id if best.kind is SourceKind.FAQ else None,
        fits_well=best.confidence >= FITS_WELL,
    )


def _in_own_script(hits: Sequence[Hit], language: Language) -> Hit:
    """The best hit; of a matter that is there in both scripts the one in the customer's."""
    best = hits[0]
    title = plain(best.title)
    for hit in hits:
        same = hit.kind is best.kind and plain(hit.title) == title
        if same and hit.locale == language.value and hit.confidence >= _NEARLY * best.confidence:
            return hit
    return best


def _further(query: str, best: Hit, hits: Sequence[Hit]) -> list[Hit]:
    """Other FAQs that fit nearly as well and speak of what the best one leaves out of the question."""
    title, least = plain(best.title), _NEARLY * best.confidence
    near = [hit for hit in hits if hit is not best and hit.kind is SourceKind.FAQ and hit.confidence >= least]
    others = [hit for hit in near if plain(hit.title) != title]
    if not others:
        return []
    open_parts = _parts(query) - _parts(f"{best.title} {best.text}")
    found: list[Hit] = []
    for hit in others:
        covered = open_parts & _parts(hit.title)
        if len(covered) >= _NEW:
            found.append(hit)
            open_parts -= covered
    return found[: _MOST_FAQS - 1]


def _sentences(query: str, hits: Sequence[Hit]) -> tuple[list[Hit], list[str]]:
    """The sentences that share most with the question, in the order they stand in, and the hits they are from."""
    wanted = _parts(query)
    scored: list[tuple[int, int, int]] = []
    split = [[each.strip() for each in _SENTENCE.findall(hit.text) if each.strip()] for hit in hits]
    for at, sentences in enumerate(split):
        scored += [(-len(wanted & _parts(each)), at, number) for number, each in enumerate(sentences[:40])]
    chosen = sorted((at, number) for _, at, number in sorted(scored)[:_MOST_SENTENCES])
    used = list(dict.fromkeys(at for at, _ in chosen))
    pieces = [" ".join(split[at][number] for of, number in chosen if of == at) for at in used]
    return [hits[at] for at in used], [_shortened(piece) for piece in pieces]


def _shortened(text: str) -> str:
    """A long text up to the end of a sentence."""
    if len(text) <= _LONGEST_ANSWER:
        return text.strip()
    end = 0
    for match in _SENTENCE.finditer(text):
        if match.end() > _LONGEST_ANSWER:
            break
        end = match.end()
    return text[: end or _LONGEST_ANSWER].strip()


def _parts(text: str) -> set[str]:
    """What a text is about, cheaply: beginnings of English words, pairs of Chinese characters."""
    found: set[str] = set()
    for token in _TOKEN.findall(plain(text)):
        if token.isascii():
            if token not in _STOP:
                found.add(token[:_STEM])
        else:
            found.update(token[at : at + 2] for at in range(len(token) - 1))
    return found


def _citation(hit: Hit) -> Citation:
    return Citation(document_id=hit.document_id, chunk_id=hit.chunk_id, title=hit.title, text=hit.text, score=hit.score)
