"""A comment that silences a tool names the code it silences and says why; the next reader must be able to judge it.

Right: `# noqa: S105 the name of a header, not a secret`, `# pyright: ignore[reportPrivateUsage] no public way to …`.
"""

import io
import re
import tokenize
from collections.abc import Iterator

from lint.source import Finding, Source

_SIGN = re.compile(r"#\s*(?:ruff:\s*)?noqa|#\s*pyright:|#\s*type:", re.IGNORECASE)
_CODES = r"[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*"
_NOQA = re.compile(rf"#\s*(?:ruff:\s*)?noqa\b(?::\s*({_CODES})?)?", re.IGNORECASE)
_PYRIGHT = re.compile(r"#\s*pyright:\s*ignore\s*(?:\[([^\]]+)\])?")
_FILE_WIDE = re.compile(r"#\s*pyright:\s*(?!ignore|strict\s*$)(\w+)")
_TYPE_IGNORE = re.compile(r"#\s*type:\s*ignore")
_REASON = re.compile(r"[^\W\d_]{2,}.*\s.*[^\W\d_]{2,}")
"""Two words at the least."""


def check(source: Source) -> Iterator[Finding]:
    if not _SIGN.search(source.text):
        return
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and (problem := _problem(token.string)):
            yield source.find(
                token.start[0], problem, "write `# noqa: CODE why`, `# pyright: ignore[rule] why`, or drop it"
            )


def _problem(comment: str) -> str:
    if _TYPE_IGNORE.search(comment):
        return "`type: ignore` is not read here"
    if found := _FILE_WIDE.search(comment):
        return f"`pyright: {found.group(1)}` for the whole file"
    rest = comment
    for form, tool in ((_NOQA, "noqa"), (_PYRIGHT, "pyright: ignore")):
        if found := form.search(rest):
            if not found.group(1):
                return f"{tool} without a code"
            rest = form.sub("", rest)
    return "" if rest == comment or _REASON.search(rest) else "silenced without a reason"
