"""The frames of one stream: numbered, and padded where the client asked for it."""

import base64
from typing import Final

import msgspec

from steward.kit.ids import Ids

_encode: Final = msgspec.json.Encoder().encode
_PAD: Final = 16

DONE: Final = b"data: [DONE]\n\n"


class Frames:
    """Gathers events until they are taken."""

    __slots__ = ("_frames", "_ids", "_number")

    def __init__(self, ids: Ids | None) -> None:
        """With `ids`, deltas are padded to hide their lengths."""
        self._ids = ids
        self._number = 0
        self._frames: list[bytes] = []

    def add(self, kind: str, **fields: object) -> None:
        body = _encode({"type": kind, "sequence_number": self._number, **fields})
        self._number += 1
        self._frames.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), body))

    def delta(self, kind: str, delta: str, **fields: object) -> None:
        if self._ids is None:
            self.add(kind, delta=delta, **fields)
        else:
            size = _PAD - len(delta) % _PAD
            pad = base64.urlsafe_b64encode(self._ids.token(_PAD))[:size].decode()
            self.add(kind, delta=delta, **fields, obfuscation=pad)

    def take(self) -> bytes:
        taken = b"".join(self._frames)
        self._frames.clear()
        return taken
