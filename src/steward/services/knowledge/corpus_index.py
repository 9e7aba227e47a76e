"""The whole index of a small corpus in memory: each of its chunks is compared, so the result is exact."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from steward.services.knowledge.features import HASH_BITS, QueryFeatures
from steward.services.knowledge.ranking import Entries, Ints, Lengths, Matches, Scores, score
from steward.services.knowledge.records import ChunkRow, Passage

_BYTES_AN_ENTRY: Final = 12
_BYTES_A_PASSAGE: Final = 600


class CorpusIndex(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of all chunks, sorted by feature; those of feature `i` are `starts[i]` to `starts[i + 1]`."""

    revision: int
    hashes: Entries
    starts: Ints
    rows: Ints
    entries: Entries
    lengths: Lengths
    passages: Sequence[Passage]

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        texts = sum(len(passage.title) + len(passage.text) for passage in self.passages)
        return len(self.entries) * _BYTES_AN_ENTRY + len(self.passages) * _BYTES_A_PASSAGE + 2 * texts

    def search(self, query: QueryFeatures) -> Scores:
        """Score every chunk."""
        return score(query, self._matches(query), self.lengths, chunks=len(self.passages))

    def _matches(self, query: QueryFeatures) -> Matches:
        place = np.searchsorted(self.hashes, query.hashes)
        place[place == len(self.hashes)] = 0
        at = np.flatnonzero(self.hashes[place] == query.hashes)
        place = place[at]
        starts = self.starts[place]
        counts = self.starts[place + 1] - starts
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        # For each feature the places of its entries, one after the other, without a loop.
        taken = np.arange(total) + np.repeat(starts - ends + counts, counts)
        return Matches(rows=self.rows[taken], at=np.repeat(at, counts), entries=self.entries[taken])


def build_index(revision: int, chunks: Sequence[ChunkRow], passages: Sequence[Passage]) -> CorpusIndex:
    """Index the chunks of a corpus; takes about 30 microseconds a chunk, so a large one belongs into a thread."""
    rows, entries = unpacked([chunk.vector + chunk.extra for chunk in chunks])
    hashes = (entries >> HASH_BITS).astype(np.uint32, copy=False)
    order = np.argsort(hashes, kind="stable")
    unique, starts = np.unique(hashes[order], return_index=True)
    return CorpusIndex(
        revision=revision,
        hashes=unique,
        starts=np.append(starts, len(entries)),
        rows=rows[order],
        entries=entries[order],
        lengths=lengths_of(chunks),
        passages=passages,
    )


def unpacked(vectors: Sequence[bytes]) -> tuple[Ints, Entries]:
    """All entries, and for each the number of its vector."""
    counts = np.fromiter(map(len, vectors), dtype=np.int64, count=len(vectors)) // 4
    entries = np.frombuffer(b"".join(vectors), dtype="<u4")
    return np.repeat(np.arange(len(vectors)), counts), entries


def lengths_of(chunks: Sequence[ChunkRow], mean_text: float | None = None, mean_title: float | None = None) -> Lengths:
    """The lengths of chunks; with no means given, those of just these."""
    text = np.fromiter((chunk.text_terms for chunk in chunks), dtype=np.float64, count=len(chunks))
    title = np.fromiter((chunk.title_terms for chunk in chunks), dtype=np.float64, count=len(chunks))
    return Lengths(
        text=text,
        title=title,
        mean_text=max(float(text.mean()) if mean_text is None else mean_text, 1e-9),
        mean_title=max(float(title.mean()) if mean_title is None else mean_title, 1e-9),
    )
