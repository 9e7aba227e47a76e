"""What a process remembers of tenants' knowledge: their revision, small indexes whole, and results of searches."""

from typing import Final

from steward.kit.cache import CachePort, View
from steward.kit.ids import TenantId
from steward.kit.outbox import StoredEvent
from steward.services.knowledge.api import Hit
from steward.services.knowledge.corpus_index import CorpusIndex
from steward.services.knowledge.records import Corpus

REVISION_S: Final = 0.25
"""How long a process may miss what another one has changed; its own changes it sees at once."""
_INDEX_S: Final = 3600.0
_RESULTS_S: Final = 1800.0
_BYTES_A_HIT: Final = 500


class Found(tuple[Hit, ...]):
    """The hits of a search; a tuple that is a value even when it is empty."""

    __slots__ = ()


class Caches:
    """Indexes and results are kept with the revision they were made of, and count for that revision only."""

    def __init__(self, cache: CachePort) -> None:
        self.corpora: View[Corpus] = View(cache, "corpus", ttl_s=REVISION_S)
        self.indexes: View[CorpusIndex] = View(cache, "index", ttl_s=_INDEX_S, size=lambda index: index.size)
        self.results: View[Found] = View(cache, "results", ttl_s=_RESULTS_S, size=_size)

    def changed(self, tenant: TenantId) -> None:
        """Forget what a change has made untrue."""
        self.corpora.drop_all(tenant)
        self.results.drop_all(tenant)

    async def on_event(self, event: StoredEvent) -> None:
        """The handler for the bus: a change was made somewhere."""
        if event.type == "knowledge.KnowledgeUpdated":
            self.changed(event.tenant)


def _size(found: Found) -> int:
    return sum(_BYTES_A_HIT + 2 * (len(hit.title) + len(hit.text)) for hit in found)
