"""The engine: reserves, settles and records calls, many at a time, and charges those of dead processes."""

from steward.services.costs.engine.calls import Calls, PriceBook
from steward.services.costs.engine.corrections import Corrections
from steward.services.costs.engine.engine import BEAT_SECONDS, Engine

__all__ = ["BEAT_SECONDS", "Calls", "Corrections", "Engine", "PriceBook"]
