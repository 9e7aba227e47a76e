"""No address that holds on one machine or in one network only: paths of a machine, registries in lock files.

Locked files name packages and hashes; where they are fetched from is the business of whoever installs.
"""

import re
from collections.abc import Iterator

from lint.source import Finding

_MACHINE_PATH = re.compile(r"(?<![\w.~$}*-])/(?:home|root|Users)/[\w.*{$<-]")
_RESOLVED = re.compile(r"[\"']?\b(?:resolved|registry|tarball)\b[\"']?\s*[:= ]\s*[\"']?\S")
_INDEX_OPTION = re.compile(r"^\s*(?:--(?:index-url|extra-index-url|find-links|trusted-host)|-i|-f)\b")
_URL = re.compile(r"\bhttps?://|\bgit\+|\bfile:")
_LOCKS = frozenset(
    {
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "uv.lock",
        "poetry.lock",
        "Cargo.lock",
        ".npmrc",
        "pip.conf",
    }
)


def check_text(path: str, text: str) -> Iterator[Finding]:
    """Look at a file of any kind."""
    if "/home/" in text or "/root/" in text or "/Users/" in text:
        for number, line in _lines_with(text, _MACHINE_PATH):
            yield Finding(
                path, number, f"path of one machine: {line[:60]!r}", "use a path relative to the project or a setting"
            )
    if _is_requirements(path):
        for number, line in _lines_with(text, _URL, _INDEX_OPTION):
            yield Finding(
                path,
                number,
                f"address in a requirements file: {line[:60]!r}",
                "name the package, version and hash only",
            )
    elif path.rpartition("/")[2] in _LOCKS:
        for number, line in _lines_with(text, _RESOLVED):
            yield Finding(
                path,
                number,
                f"registry in a lock file: {line[:60]!r}",
                "leave out resolved addresses, keep integrity hashes",
            )


def _is_requirements(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    is_listed = name.endswith((".txt", ".in"))
    return is_listed and (name.startswith(("requirements", "constraints")) or folder.split("/")[-1] == "requirements")


def _lines_with(text: str, *forms: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if any(form.search(line) for form in forms):
            yield number, line.strip()
