"""Masking: values become plain data of bounded size in which nothing is secret and nothing can forge a line.

Keys that name a secret lose their value; credentials inside any text are replaced; control characters, line and
direction marks and lone surrogates are escaped; long texts, deep and wide data are cut. Every pattern runs in time
linear in the text, for the text may be an attacker's.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

import msgspec

from steward.kit.audit import MASK, sensitive_fields

MAX_TEXT = 8 * 1024
"""Characters kept of one text."""
MAX_RECORD = 32 * 1024
"""Characters kept of all texts of one record together."""
MAX_VALUES = 1_000
MAX_DEPTH = 8
CUT = "…"

_MAX_KEY = 128
_LONGEST_NAME = 32
"""Keys up to this length are remembered: names that code logs under, and too short for a credential."""
_INT64 = range(-(2**63), 2**64)

_SECRET_WORD_ENDINGS = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "tokens",
    "authorization",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "apikey",
    "jwt",
)
_SECRET_KEYS = frozenset({"api", "access", "private", "master", "signing"})
# Words after `token` that make the key a measure or a kind and not a secret, as in `token_count`.
_HARMLESS_AFTER_TOKEN = frozenset({"type", "count", "limit", "budget", "kind", "id", "ids", "rate"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_CREDENTIAL = re.compile(
    r"""
      stw_(?:sk|pk|rt|in)_[\w-]+                                         # ours
    | (?i:\b(?:bearer|basic))\s+(?:(?=[\w.~+/=-]*[\d.~+/=_-])[\w.~+/=-]{6,}|[A-Za-z]{20,})  # RFC 9110 credentials
    | (?<![\w-])(?=[\w-]*eyJ)[\w-]++\.[\w-]++(?:\.[\w-]*+){0,3}          # JWT: RFC 7519, JWS and JWE
    | \bsk-[\w-]{20,}                                                    # model providers
    | (?<=://)[^/\s:@]*:[^/\s]+(?=@)                                     # user and password of an address
    | -----BEGIN[ ][A-Z ]{0,30}PRIVATE[ ]KEY-----[^-]*+(?:-----END[ ][A-Z ]{0,30}KEY-----)?
    """,
    re.VERBOSE | re.ASCII,
)
_ASSIGNED = re.compile(
    r"""
    (?P<key>(?i:passw(?:or)?d|passphrase|secret|token|api[_-]?key|authorization|cookie)
        (?:\s*=\s*|\\?["']\s*[:=]\s*))
    (?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[^\s"'&;,]+)
    """,
    re.VERBOSE,
)
# Texts with none of these hold no match of the patterns above; looking for them is ten times as fast.
_CREDENTIAL_MARKS = ("stw_", "eyj", "sk-", "://", "bearer", "basic", "private key")
_ASSIGNED_MARKS = ("pass", "secret", "token", "key", "authorization", "cookie")
_IN_IDS = "0123456789abcdef-.:"
"""Texts of only these characters, such as UUIDs and addresses, hold none of the marks above and nothing unsafe."""
# C0 but tab and line feed (which every renderer escapes or indents), DEL, C1, line and paragraph separators,
# bidirectional controls, surrogates without a partner.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """`text` without credentials and control characters, cut to `limit` characters (and a note of how many went)."""
    if len(text) <= limit and not text.strip(_IN_IDS):
        return text
    if len(text) > limit:
        text = f"{text[:limit]}{CUT}[{len(text) - limit} more characters]"
    lowered = text.lower()
    if _has_any(_CREDENTIAL_MARKS, lowered):
        text = _CREDENTIAL.sub(MASK, text)
    if _has_any(_ASSIGNED_MARKS, lowered):
        text = _ASSIGNED.sub(rf"\g<key>{MASK}", text)
    if not text.isprintable():
        text = _UNSAFE.sub(_escaped, text)
    return text


def clean_again(text: str) -> str:
    """As `clean`, for a text that is likely to come again and again, such as a route without parameters.

    Short ones are remembered; longer ones are not, for they may hold a credential.
    """
    return _remembered(text) if len(text) <= _LONGEST_NAME else clean(text)


@lru_cache(maxsize=2_048)
def _remembered(text: str) -> str:
    return clean(text)


def plain(values: Mapping[str, object]) -> dict[str, Any]:
    """`values` as masked, bounded data that any JSON encoder takes."""
    return _Walk().mapping(values, 0)


@lru_cache(maxsize=2_048)
def is_secret_key(key: str) -> bool:
    """Whether a key names a secret: `refresh_token`, `X-Api-Key`, `dbPassword`; not `max_tokens` or `token_count`."""
    words = [word.lower() for word in _WORDS.findall(key[:_MAX_KEY])]
    return any(_is_secret_word(word, after) for word, after in pairwise([*words, ""]))


@lru_cache(maxsize=2_048)
def _shown_key(key: str) -> tuple[str, bool]:
    # Keys are mostly the names that our code logs under: few, and the same again and again.
    name = clean(key, _MAX_KEY)
    return name, is_secret_key(name)


def _has_any(marks: Sequence[str], text: str) -> bool:
    for mark in marks:  # noqa: SIM110 a generator costs twice as much here
        if mark in text:
            return True
    return False


def _is_secret_word(word: str, after: str) -> bool:
    if after == "key" and word in _SECRET_KEYS:
        return True
    if word == "token" and after in _HARMLESS_AFTER_TOKEN:
        return False
    return word.endswith(_SECRET_WORD_ENDINGS)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 the last code of one byte


def _is_count(key: str, value: object) -> bool:
    """Whether it is a number of tokens, as in `max_tokens` or `tokens_used`; a lone number may be a secret."""
    return isinstance(value, int | float) and "tokens" in key.lower()


class _Walk:
    """One walk over one record; holds what is left of its bounds."""

    __slots__ = ("_characters", "_values")

    def __init__(self) -> None:
        self._values = MAX_VALUES
        self._characters = MAX_RECORD

    def mapping(self, values: Mapping[Any, object], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in values.items():
            if self._values <= 0:
                found[CUT] = f"{len(values) - len(found)} more"
                break
            name, secret = self._key(str(key))
            if secret and value is not None and not _is_count(name, value):
                found[name] = MASK
                self._values -= 1
            else:
                found[name] = self.value(value, depth)
        return found

    def _key(self, key: str) -> tuple[str, bool]:
        """The key to show, and whether it names a secret."""
        if len(key) > _LONGEST_NAME or self._characters < _MAX_KEY:
            name = self._text(key, _MAX_KEY)
            return name, is_secret_key(name)
        name, secret = _shown_key(key)
        self._characters -= len(name)
        return name, secret

    def value(self, value: object, depth: int) -> Any:
        self._values -= 1
        match value:
            case str():
                return self._text(value.value if isinstance(value, Enum) else value, MAX_TEXT)
            case None | bool():
                return value
            case Enum():
                return self.value(value.value, depth)
            case int():
                return value if value in _INT64 else f"{value:#x}"[:MAX_TEXT]
            case float():
                return value if abs(value) < float("inf") else str(value)
            case Mapping() | msgspec.Struct() | AbstractSet() | Sequence() if depth >= MAX_DEPTH:
                return CUT
            case _:
                return self._composite(value, depth)

    def _composite(self, value: object, depth: int) -> Any:
        match value:
            case bytes() | bytearray() | memoryview():
                return f"<{len(cast('bytes', value))} bytes>"
            case Mapping():
                return self.mapping(cast("Mapping[Any, object]", value), depth + 1)
            case msgspec.Struct():
                return self._struct(value, depth + 1)
            case Sequence() | AbstractSet():
                return self._items(cast("Sequence[object] | AbstractSet[object]", value), depth + 1)
            case BaseException():
                return self._text(f"{type(value).__name__}: {value}", MAX_TEXT)
            case date():
                return value.isoformat()
            case UUID() | Decimal() | PurePath():
                return self._text(str(value), MAX_TEXT)
            case _:
                # The repr of a stranger may show its secrets, so its type must do.
                return f"<{type(value).__qualname__}>"

    def _struct(self, value: msgspec.Struct, depth: int) -> dict[str, Any]:
        sensitive = sensitive_fields(type(value))
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        hidden = {name: MASK if name in sensitive and field is not None else field for name, field in fields.items()}
        return self.mapping(hidden, depth)

    def _items(self, values: Sequence[object] | AbstractSet[object], depth: int) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if self._values <= 0:
                found.append(f"{CUT}{len(values) - len(found)} more")
                break
            found.append(self.value(value, depth))
        return found

    def _text(self, text: str, limit: int) -> str:
        cleaned = clean(text, max(0, min(limit, self._characters)))
        self._characters -= len(cleaned)
        return cleaned
