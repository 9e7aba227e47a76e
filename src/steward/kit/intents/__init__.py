"""Work that takes several services: an intent is committed first, then carried out step by step.

Each step is idempotent, and after each the intent says how far it got. A crash leaves the intent behind: it is resumed
at start-up and by a sweeper. A step that is refused has the steps before it undone, last first. What an intent holds is
sealed, for it may carry personal data and secrets.
"""

from steward.kit.intents.intents import Flow, Intent, IntentObserver, Intents, NullIntentObserver, Step

__all__ = ["Flow", "Intent", "IntentObserver", "Intents", "NullIntentObserver", "Step"]
