"""A file is about 150 lines and at most 400; tests at most 600. Longer ones hold more than one subject."""

from collections.abc import Iterator

from lint.source import Finding, Source

LIMIT = 400
TEST_LIMIT = 600


def check(source: Source) -> Iterator[Finding]:
    limit = TEST_LIMIT if source.within("tests", "lint/tests") else LIMIT
    lines = len(source.text.splitlines())
    if lines > limit:
        yield source.find(
            limit + 1, f"{lines} lines, at most {limit} allowed", "split it by use case, named by its noun"
        )
