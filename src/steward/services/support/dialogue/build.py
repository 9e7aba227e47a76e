"""Puts the room together."""

from collections.abc import Mapping

import msgspec

from steward.kit.bus import Subscription
from steward.kit.module import Parts
from steward.services.support.dialogue.checks import World
from steward.services.support.dialogue.engine import PlaybookDialogue
from steward.services.support.dialogue.libraries import Libraries
from steward.services.support.dialogue.repository import PlaybooksRepository
from steward.services.support.dialogue.shipped import SHIPPED_INTENTS, shipped
from steward.services.support.dialogue.use_case import IntentNames, PlaybooksUseCase
from steward.services.support.ports import ToolSpec


class DialogueRoom(msgspec.Struct, frozen=True, kw_only=True):
    """The room `dialogue`, ready; the bus wants the subscription."""

    dialogue: PlaybookDialogue
    use_case: PlaybooksUseCase
    subscription: Subscription


def build(parts: Parts, tool_specs: Mapping[str, ToolSpec], intents: IntentNames | None = None) -> DialogueRoom:
    """The room; `intents` gives the names of a tenant's own intents, which playbooks may handle too."""
    files = shipped(World(tools=tool_specs, intents=SHIPPED_INTENTS))
    rows = PlaybooksRepository()
    libraries = Libraries(parts.db, rows, files, tool_specs, parts.clock, parts.telemetry)
    use_case = PlaybooksUseCase(parts.db, parts.authz, parts.clock, rows, libraries, files, tool_specs, intents)
    return DialogueRoom(
        dialogue=PlaybookDialogue(libraries.of, tool_specs),
        use_case=use_case,
        subscription=Subscription(
            name="support-playbooks", sources=("support",), handler=libraries.on_event, broadcast=True
        ),
    )
