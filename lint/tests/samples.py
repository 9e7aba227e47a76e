"""Running one rule over a sample."""

from collections.abc import Callable, Iterator, Mapping
from textwrap import dedent

from lint.source import Finding, Project, Source

Check = Callable[[Source], Iterator[Finding]]


def lines_found(check: Check, code: str, path: str, others: Mapping[str, str] | None = None) -> list[int]:
    """The lines of `code`, as the file `path` of a project with `others`, that the rule complains of."""
    project = Project({**(others or {}), path: dedent(code).lstrip("\n")})
    return sorted({finding.line for finding in check(project.source(path))})


def marked(code: str) -> list[int]:
    """The lines of a sample that end with `# bad`."""
    return [number for number, line in enumerate(dedent(code).lstrip("\n").splitlines(), 1) if line.endswith("# bad")]
