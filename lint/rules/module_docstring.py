"""Every module opens by saying what it is for; tests say it by their name."""

import ast
from collections.abc import Iterator

from lint.source import Finding, Source


def check(source: Source) -> Iterator[Finding]:
    if not source.within("src/steward", "lint", "bench", "examples"):
        return
    docstring = ast.get_docstring(source.tree, clean=False)
    if docstring is None:
        yield source.find(1, "no docstring at the top of the module", "say in one sentence what the module is for")
    elif not docstring.split("\n", 1)[0].strip():
        yield source.find(1, "the docstring's first line is empty", "say on the first line what the module is for")
