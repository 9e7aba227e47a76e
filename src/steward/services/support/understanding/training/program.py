"""What a training program reads from standard input and writes to standard output."""

import sys
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from steward.services.support.understanding.features import Found, found_in
from steward.services.support.understanding.model import Model
from steward.services.support.understanding.training.examples import Examples


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Examples to train from: their texts, or what was found in them."""

    intents: Sequence[str]
    outside: str
    labels: Sequence[int]
    texts: Sequence[str] = ()
    hashes: bytes = b""
    owners: bytes = b""


def request_of(data: Examples, found: Found | None) -> bytes:
    """The request as bytes; with the features, where they were found already."""
    labels = [int(label) for label in data.labels]
    if found is None:
        asked = Request(intents=data.intents, outside=data.outside, labels=labels, texts=data.texts)
    else:
        asked = Request(
            intents=data.intents,
            outside=data.outside,
            labels=labels,
            hashes=found.hashes.tobytes(),
            owners=found.texts.tobytes(),
        )
    return msgspec.msgpack.encode(asked)


def answer(train: Callable[[Examples, Found], Model]) -> None:
    """Read a request, train, write the model."""
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request)
    data = Examples(asked.texts, np.array(asked.labels, dtype=np.int64), asked.intents, asked.outside)
    if asked.texts:
        found = found_in(asked.texts)
    else:
        found = Found(np.frombuffer(asked.hashes, dtype=np.uint32), np.frombuffer(asked.owners, dtype=np.int64))
    sys.stdout.buffer.write(train(data, found).encode())
