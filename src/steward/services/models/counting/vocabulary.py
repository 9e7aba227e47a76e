"""tiktoken's vocabularies, read from a directory; nothing is ever downloaded.

The files are those that OpenAI publishes, `o200k_base.tiktoken` and `cl100k_base.tiktoken`: a line has a token's bytes
in base64 and its rank. How a text is split before, is the vocabulary's as well (tiktoken 0.14, `openai_public`).
"""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol


class Encoding(Protocol):
    """A vocabulary, ready to be used."""

    def encode_ordinary(self, text: str) -> list[int]:
        """A text's tokens; control tokens that are written in it are text."""
        ...


class VocabularyUnreadable(Exception):
    """A file of a vocabulary that cannot be used; the message says why and what to do."""


_CONTRACTION: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER: Final = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER: Final = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_BEFORE: Final = r"[^\r\n\p{L}\p{N}]?"
SPLITS: Final[Mapping[str, str]] = {
    "o200k_base": "|".join(
        (
            f"{_BEFORE}[{_UPPER}]*[{_LOWER}]+{_CONTRACTION}",
            f"{_BEFORE}[{_UPPER}]+[{_LOWER}]*{_CONTRACTION}",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        )
    ),
    "cl100k_base": "|".join(
        (
            r"'(?i:[sdmt]|ll|ve|re)",
            f"{_BEFORE}+\\p{{L}}++",
            r"\p{N}{1,3}+",
            r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
            r"\s++$",
            r"\s*[\r\n]",
            r"\s+(?!\S)",
            r"\s",
        )
    ),
}
"""How each vocabulary splits a text before merging."""

_MODELS: Final = (
    (re.compile(r"(^|/)(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5|chatgpt-4o|o[134](-|$)|gpt-oss)"), "o200k_base"),
    (re.compile(r"(^|/)(gpt-4(-|$)|gpt-3\.5|text-embedding-(3|ada))"), "cl100k_base"),
)
_BYTES: Final = 256


def vocabulary_of(model: str) -> str | None:
    """The name of a model's vocabulary, where it is one of these."""
    lower = model.lower()
    return next((name for pattern, name in _MODELS if pattern.search(lower)), None)


def load_vocabularies(directory: Path) -> Mapping[str, Encoding]:
    """Those that the directory has, by name. It takes about half a second for each, and 60 MB: not on the event loop.

    Raises `VocabularyUnreadable` for a directory without any, for a file that is none, and where the package
    `tiktoken` is not installed.
    """
    try:
        import tiktoken
    except ImportError as error:
        message = (
            "STEWARD_MODELS_TIKTOKEN_DIR is set, but the package tiktoken is not installed: install steward[tokens]"
        )
        raise VocabularyUnreadable(message) from error
    found: dict[str, Encoding] = {}
    for name, split in SPLITS.items():
        file = directory / f"{name}.tiktoken"
        if file.exists():
            found[name] = tiktoken.Encoding(name, pat_str=split, mergeable_ranks=_ranks(file), special_tokens={})
    if not found:
        wanted = " or ".join(f"{name}.tiktoken" for name in SPLITS)
        raise VocabularyUnreadable(f"STEWARD_MODELS_TIKTOKEN_DIR names {str(directory)!r}, which has no {wanted}")
    return found


def _ranks(file: Path) -> dict[bytes, int]:
    ranks: dict[bytes, int] = {}
    try:
        for line in file.read_bytes().splitlines():
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
    except (OSError, ValueError, binascii.Error) as error:
        raise VocabularyUnreadable(f"{file} is no vocabulary of tiktoken ({error}): get it anew") from error
    missing = sum(bytes((number,)) not in ranks for number in range(_BYTES))
    if missing:
        raise VocabularyUnreadable(f"{file} lacks {missing} of the 256 single bytes: get it anew")
    return ranks
