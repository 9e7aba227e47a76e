"""Runs the commands that a page shows, as somebody who copies them into a shell."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def run(commands: Sequence[str], directory: Path, **environment: str) -> list[Any]:
    """What the commands printed, one JSON document each; a command that fails or prints none counts for nothing."""
    script = "\necho\n".join(command.replace("curl ", "curl -sf --max-time 20 ") for command in commands)
    shown = subprocess.run(
        ["bash", "-ec", script],
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in shown.stdout.splitlines() if line]
