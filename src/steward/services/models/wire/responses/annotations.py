"""Citations and log probabilities of a text, from the forms in which other dialects tell them."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from steward.services.models.messages import Text

_URL: Final = "url_citation"


class _Top(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: Sequence[int] | None = None


class _Token(_Top, frozen=True):
    top_logprobs: Sequence[_Top] = ()


class _Logprobs(msgspec.Struct, frozen=True):
    """OpenAI Chat Completions: of the text and of a refusal."""

    content: Sequence[_Token] | None = None


class _Citation(msgspec.Struct, frozen=True):
    """Anthropic: `web_search_result_location` and, with `source` for `url`, `search_result_location`."""

    type: str = ""
    url: str | None = None
    source: str | None = None
    title: str | None = None


class _Annotation(msgspec.Struct, frozen=True):
    """OpenAI Chat Completions."""

    type: str = ""
    url_citation: Mapping[str, msgspec.Raw] | None = None


_logprobs: Final = msgspec.json.Decoder(_Logprobs)
_citations: Final = msgspec.json.Decoder(list[_Citation] | None)
_annotations: Final = msgspec.json.Decoder(list[_Annotation] | None)


def annotations_of(part: Text) -> list[Mapping[str, object]]:
    """Addresses that the text cites. Anthropic's cite for the whole of a text."""
    extra = part.extra
    if not extra:
        return []
    found: list[Mapping[str, object]] = []
    if (raw := extra.get("annotations")) is not None:
        found += [
            {"type": _URL, **one.url_citation} for one in _annotations.decode(raw) or () if one.url_citation is not None
        ]
    if (raw := extra.get("citations")) is not None:
        found += [_cited(one, part.text) for one in _citations.decode(raw) or () if one.url or one.source]
    return found


def _cited(one: _Citation, text: str) -> Mapping[str, object]:
    return {
        "type": _URL,
        "start_index": 0,
        "end_index": len(text),
        "url": one.url or one.source,
        "title": one.title or "",
    }


def logprobs_of(raw: msgspec.Raw | None) -> list[Mapping[str, object]]:
    """OpenAI Chat's log probabilities in the form of this dialect, which has no null for `bytes`."""
    if raw is None:
        return []
    return [
        {**_told(one), "top_logprobs": [_told(other) for other in one.top_logprobs]}
        for one in _logprobs.decode(raw).content or ()
    ]


def _told(one: _Top) -> dict[str, object]:
    return {"token": one.token, "logprob": one.logprob, "bytes": one.bytes or ()}
