"""No module or folder is named `utils`, `helpers`, `common`, `manager` or the like: such names say nothing and draw
in everything. A module is named by its noun.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from lint.source import Finding, Source

_EMPTY_NAME = re.compile(r"(?:^|_)(?:utils?|utilities|helpers?|commons?|managers?|misc|stuff)(?:_|$)")


def check(source: Source) -> Iterator[Finding]:
    path = PurePosixPath(source.path)
    for part in (*path.parts[:-1], path.stem):
        if _EMPTY_NAME.search(part):
            yield source.find(
                1, f"the name {part!r} says nothing", "name it by what it holds, or move its parts to where they belong"
            )
            return
