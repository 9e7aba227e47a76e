"""What a message names, and its mood, by patterns and words."""

import re

_PATTERNS = (
    ("order_id", re.compile(r"\bord-?(\d{4})-?(\d{6})\b", re.IGNORECASE)),
    ("email", re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")),
    ("amount", re.compile(r"(?:USD|\$|€)\s?\d+(?:\.\d+)?|\d+(?:\.\d+)?\s?(?:dollars|元|块)", re.IGNORECASE)),
    ("date", re.compile(r"\b\d{4}-\d{2}-\d{2}\b")),
)
_BAD = re.compile(r"terrible|awful|angry|worst|unacceptable|useless|垃圾|太差|生气|投诉|骗子|愤怒")
_GOOD = re.compile(r"thank|great|love|perfect|谢谢|感谢|太好|很棒")


def find(text: str) -> list[dict[str, str]]:
    return [
        {"type": kind, "value": match[0].upper() if kind == "order_id" else match[0], "text": match[0]}
        for kind, pattern in _PATTERNS
        for match in pattern.finditer(text)
    ]


def mood(folded: str) -> str:
    if _BAD.search(folded):
        return "negative"
    return "positive" if _GOOD.search(folded) else "neutral"
