"""The JSON Schema of playbook files, made from their structs: `python -m steward.services.support.dialogue.schema`."""

import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from steward.services.support.dialogue.format import File

SCHEMA: Final = "docs/reference/playbooks.schema.json"


def schema() -> dict[str, Any]:
    """The schema of a file, in the dialect 2020-12."""
    found = msgspec.json.schema(File)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Playbook of a Steward desk",
        **found,
    }


def text() -> str:
    """The schema as it is kept in the repository."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


if __name__ == "__main__":
    Path(SCHEMA).write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{SCHEMA} is written\n")
