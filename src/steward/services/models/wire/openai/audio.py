"""Spoken answers, which stream in pieces."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any, Final

import msgspec

AUDIO: Final = "audio"
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])
_DATA: Final = "data"
_WORDS: Final = "transcript"


def joined_audio(pieces: Iterable[msgspec.Raw]) -> msgspec.Raw:
    """One object of all pieces: their sound and words one after another, of the rest what came last."""
    whole: dict[str, Any] = {}
    sound: list[bytes] = []
    words: list[str] = []
    for piece in pieces:
        said = _OBJECT.decode(piece)
        if isinstance(said.get(_DATA), str):
            sound.append(b64decode(said.pop(_DATA)))
            whole[_DATA] = ""
        if isinstance(said.get(_WORDS), str):
            words.append(said.pop(_WORDS))
            whole[_WORDS] = ""
        whole.update(said)
    if _DATA in whole:
        whole[_DATA] = b64encode(b"".join(sound)).decode()
    if _WORDS in whole:
        whole[_WORDS] = "".join(words)
    return msgspec.Raw(msgspec.json.encode(whole))
