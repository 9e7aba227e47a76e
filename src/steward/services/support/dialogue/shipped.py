"""The playbooks that Steward ships."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from steward.services.support.api import AgentType
from steward.services.support.dialogue.checks import World, check
from steward.services.support.dialogue.format import File

_FOLDER: Final = Path(__file__).parent / "playbooks"
SHIPPED_INTENTS: Final = frozenset(agent.value for agent in AgentType)
"""What the router that ships tells apart."""


class Shipped(msgspec.Struct, frozen=True):
    """A file that was read and has no problems."""

    name: str
    source: str
    file: File


def sources(folder: Path = _FOLDER) -> dict[str, str]:
    """The text of each file by its name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}


def shipped(world: World, folder: Path = _FOLDER) -> Sequence[Shipped]:
    """Read and check all files; a problem in one is a defect."""
    found: list[Shipped] = []
    for name, source in sources(folder).items():
        checked = check(source, world, name=name)
        if checked.file is None:
            problems = "\n".join(map(str, checked.problems))
            message = f"{folder / name}.yaml cannot be used:\n{problems}"
            raise ValueError(message)
        found.append(Shipped(name, source, checked.file))
    return found
