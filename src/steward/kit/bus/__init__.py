"""Events between services: outboxes read by cursors, woken by LISTEN/NOTIFY.

An event is in its writer's outbox from the commit on. Each consumer keeps a cursor over (transaction id, event id) and
never reads past the oldest transaction still running, so that a commit that comes late is not skipped. A group
consumer's events are handled by one process at a time and at least once: handlers are idempotent by event id. A
broadcast consumer sees every event from its process's start on, for dropping what a cache holds.
"""

from steward.kit.bus.bus import Bus, BusObserver, BusSettings, NullBusObserver, Subscription
from steward.kit.bus.repository import Position, Reader
from steward.kit.bus.wake import Wake

__all__ = ["Bus", "BusObserver", "BusSettings", "NullBusObserver", "Position", "Reader", "Subscription", "Wake"]
