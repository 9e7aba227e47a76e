"""Agents as playbooks: declarative dialogues, checked before they are used, and the engine that leads them.

Purpose: from what a message is understood to mean to the answer and to what the session remembers. Invariants: a reply
is a playbook's text, knowledge or a tool's result, never made up; nothing is changed in the shop but in answer to a
customer's yes; the same state, message and outcomes make the same calls in the same order. Pitfalls: a frame names the
version of its playbook, so a step is looked up only after the versions were compared.
"""

from steward.services.support.dialogue.build import DialogueRoom, build
from steward.services.support.dialogue.engine import PlaybookDialogue
from steward.services.support.dialogue.use_case import PlaybooksUseCase

__all__ = ["DialogueRoom", "PlaybookDialogue", "PlaybooksUseCase", "build"]
