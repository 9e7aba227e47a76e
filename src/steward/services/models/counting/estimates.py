"""How many tokens a text has for a family of models, without its vocabulary: weights by script, and how far they err.

Latin text, code, JSON and what requests add around it are fitted by least squares to the token counts that providers
reported for the recorded calls of pydantic-ai's tests (100 answers, 274 requests; see `tests/services/models/counting`,
where a third of the recordings, chosen by the hash of their names, was held out and gave the errors). Nothing recorded
is Chinese, Japanese or Korean, so the weights of those scripts are from what is published: OpenAI's sample sentence
(33 characters: 24 tokens of o200k, 34 of cl100k), 「今天太陽很大」 with 9 tokens of cl100k, DeepSeek's 0.6 tokens a
character, and a documented answer of Qwen (57 characters, 36 tokens); their stated error is accordingly large.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Script(StrEnum):
    """Kinds of text whose estimates err differently."""

    PROSE = "prose"
    """Latin letters, digits, code."""
    JSON = "json"
    SIMPLIFIED = "simplified"
    TRADITIONAL = "traditional"
    OTHER = "other"
    """Other letters, and pictographs."""


ERRORS: Final[Mapping[Script, float]] = {
    Script.PROSE: 0.20,
    Script.JSON: 0.35,
    Script.SIMPLIFIED: 0.45,
    Script.TRADITIONAL: 0.55,
    Script.OTHER: 0.60,
}
"""Share of the estimate within which 95 of 100 texts lie."""


class Family(NamedTuple):
    """Weights of one tokenizer, and what its provider adds to a request."""

    word: float
    letter: float
    """Of each letter beyond the sixth of a word."""
    digits: float
    """Of each three digits or fewer."""
    mark: float
    """Of each run of punctuation."""
    more_marks: float
    """Of each character of such a run beyond its first."""
    blank: float
    """Of each run of line ends, tabs or several spaces."""
    simplified: float
    """Of a Han character that is written so in simplified texts, or in both."""
    traditional: float
    other: float
    """Of any other character outside of ASCII."""
    request: float
    message: float
    call: float
    """Of a tool call, and of a result."""
    tools: float
    """Of a request with tools: the provider's instructions."""
    schemas: float
    """Tokens of a tool's description and schema, for those of their JSON."""
    output: float
    """Of a request with a schema of its output, beside the schema."""
    off: float
    """How far what a provider adds errs, in tokens, without tools."""
    tools_off: float
    """The same with tools."""


_OPENAI: Final = Family(
    word=1.07, letter=0.02, digits=0.8, mark=0.74, more_marks=0.42, blank=1.4, simplified=0.72, traditional=0.95,
    other=0.75, request=4, message=3, call=5, tools=8, schemas=0.75, output=12, off=8, tools_off=215,
)  # fmt: skip
_CLAUDE: Final = Family(
    word=1.01, letter=0.1, digits=1.66, mark=1.34, more_marks=0.11, blank=0.55, simplified=1.1, traditional=1.4,
    other=1.1, request=7, message=1, call=23, tools=426, schemas=1.3, output=196, off=40, tools_off=160,
)  # fmt: skip
_NEW_CLAUDE: Final = Family(
    word=1.31, letter=0.13, digits=2.16, mark=1.74, more_marks=0.14, blank=0.72, simplified=1.1, traditional=1.4,
    other=1.1, request=7, message=1, call=23, tools=426, schemas=1.3, output=196, off=45, tools_off=250,
)  # fmt: skip
"""From Opus 4.7 on: the same text has about 1.3 times as many tokens."""
_FAMILIES: Final[tuple[tuple[re.Pattern[str], Family], ...]] = (
    (re.compile(r"gpt-oss"), _OPENAI._replace(request=70, off=25)),
    (re.compile(r"gpt-(4(-|$)|3\.5)|text-embedding"), _OPENAI._replace(simplified=1.1, traditional=1.45, other=1.0)),
    (re.compile(r"gpt-|(^|/)o[134](-|$)|chatgpt|computer-use|codex"), _OPENAI),
    (re.compile(r"claude.*(opus-4[.-][789]|opus-5|sonnet-5|haiku-5|fable|mythos)"), _NEW_CLAUDE),
    (re.compile(r"claude"), _CLAUDE),
    (
        re.compile(r"deepseek"),
        _OPENAI._replace(simplified=0.6, traditional=0.8, tools=326, call=36, schemas=0.62, off=85, tools_off=110),
    ),
    (re.compile(r"qwen|glm|kimi|minimax"), _OPENAI._replace(simplified=0.65, traditional=0.85, off=50, tools_off=300)),
)
_ANY: Final = Family(
    word=1.12, letter=0.02, digits=0.8, mark=0.74, more_marks=0.42, blank=1.4, simplified=0.9, traditional=1.1,
    other=0.9, request=14, message=6, call=5, tools=60, schemas=0.75, output=12, off=45, tools_off=650,
)  # fmt: skip


def family_of(model: str) -> Family:
    """By the model's name; an unknown one has the weights of the mean and the largest error."""
    lower = model.lower()
    return next((family for pattern, family in _FAMILIES if pattern.search(lower)), _ANY)


_WORD: Final = re.compile(r"[A-Za-z]+")
_DIGITS: Final = re.compile(r"[0-9]{1,3}")
_MARKS: Final = re.compile(r"[!-/:-@\[-`{-~]+")
_BLANKS: Final = re.compile(r"\n+| {2,}|\t+")
_HAN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")
_SHORT_WORD: Final = 6


class Sized(NamedTuple):
    """Tokens of a text, and within how many of them the truth lies for 95 of 100 texts."""

    tokens: float
    off: float

    def plus(self, other: "Sized") -> "Sized":
        return Sized(self.tokens + other.tokens, self.off + other.off)


def estimate(text: str, family: Family, *, json: bool = False) -> Sized:
    """The tokens of a text; about 100 µs for 2 KB."""
    latin = _latin(text, family)
    sized = Sized(latin, latin * ERRORS[Script.JSON if json else Script.PROSE])
    return sized if text.isascii() else sized.plus(_foreign(text, family))


def _latin(text: str, family: Family) -> float:
    words = _WORD.findall(text)
    marks = _MARKS.findall(text)
    return (
        family.word * len(words)
        + family.letter * sum(len(word) - _SHORT_WORD for word in words if len(word) > _SHORT_WORD)
        + family.digits * len(_DIGITS.findall(text))
        + family.mark * len(marks)
        + family.more_marks * (sum(map(len, marks)) - len(marks))
        + family.blank * len(_BLANKS.findall(text))
    )


def _foreign(text: str, family: Family) -> Sized:
    han = "".join(_HAN.findall(text))
    rest = family.other * (len(_FOREIGN.findall(text)) - len(han))
    script = Script.TRADITIONAL if _is_traditional(han) else Script.SIMPLIFIED
    ideographs = len(han) * (family.traditional if script is Script.TRADITIONAL else family.simplified)
    return Sized(ideographs + rest, ideographs * ERRORS[script] + rest * ERRORS[Script.OTHER])


def _is_traditional(han: str) -> bool:
    """Whether more of the characters are in the character set of Taiwan (Big5) than in that of the mainland."""
    return len(han.encode("big5", "ignore")) > len(han.encode("gb2312", "ignore"))
