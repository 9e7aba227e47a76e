"""The parts of a message that may each have a wish of their own."""

import re
from collections.abc import Sequence
from typing import Final

MOST: Final = 6
"""Parts that are looked at."""
_SHORTEST: Final = 4
_LONGEST: Final = 2000
_BREAKS: Final = re.compile(
    r"[。！？!?；;\n]+|\.\s+|[,，]?\s*(?:另外|还有(?!货|没|多)|還有(?!貨|沒|多)|顺便|順便|此外|以及|再来就是|"
    r"再來就是|对了|對了)[,，]?"
    r"|[,，]?\s*\b(?:and also|also|besides|in addition|additionally|by the way|btw|another thing|plus|"
    r"one more thing)\b,?"
    r"|[,，]\s*(?:and|but|then)\s(?=(?:i|can|could|what|where|when|how|please|do|is|my|will)\b)|\s+and\s+(?=(?:can|"
    r"could|what|where|when|how|please|do|i|is|will)\b)",
    re.IGNORECASE,
)
_SMALL_TALK: Final = re.compile(
    r"^\W*(?:hi|hello|hey|dear \w+|good (?:morning|afternoon|evening|day)|thanks?(?: you)?(?: (?:so|very) much)?|"
    r"thx|please|sorry|"
    r"ok|okay|excuse me|你好|您好|嗨|哈喽|哈囉|早安|午安|谢谢(?:你|您)?|謝謝(?:你|您)?|感谢|感謝|不好意思|请问|請問|"
    r"在吗|在嗎|亲|親|好的)\W*$",
    re.IGNORECASE,
)


def clauses(text: str) -> Sequence[str]:
    """The parts that say something; empty where the message has one only."""
    parts = [part.strip() for part in _BREAKS.split(text[:_LONGEST]) if part]
    telling = [part for part in parts if len(part) >= _SHORTEST and not _SMALL_TALK.match(part)]
    return telling[:MOST] if len(telling) > 1 else ()
