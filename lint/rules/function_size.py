"""A function is about 10 lines and at most 60, docstring included: longer ones cannot be read at a glance."""

from collections.abc import Iterator

from lint.source import Finding, Source

LIMIT = 60


def check(source: Source) -> Iterator[Finding]:
    for function in source.functions:
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > LIMIT:
            yield source.find(
                function, f"{function.name} has {lines} lines, at most {LIMIT} allowed", "split it by step"
            )
