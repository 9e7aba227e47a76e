"""No `from __future__ import annotations`: msgspec, litestar and our converters read annotations at run time."""

import ast
from collections.abc import Iterator

from lint.source import Finding, Source


def check(source: Source) -> Iterator[Finding]:
    for node in source.nodes(ast.ImportFrom):
        if node.module == "__future__" and any(alias.name == "annotations" for alias in node.names):
            yield source.find(
                node,
                "annotations are turned into strings",
                'drop the import; quote the one forward reference: `-> "Ctx"`',
            )
