"""Reading the project and running every rule over it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lint.rules import RULES, TEXT_RULES
from lint.source import Finding, Project

PYTHON_FOLDERS = ("src/steward/", "tests/", "bench/", "lint/", "examples/", "proto/")
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "dist", "build", "venv", "htmlcov"})
_HIDDEN_FOLDERS_READ = frozenset({".ci", ".github"})
_SUFFIXES = frozenset(
    {
        ".py",
        ".pyi",
        ".md",
        ".toml",
        ".txt",
        ".in",
        ".yaml",
        ".yml",
        ".json",
        ".lock",
        ".cfg",
        ".ini",
        ".conf",
        ".sh",
        ".proto",
        ".sql",
        ".ts",
        ".tsx",
        ".js",
        ".mjs",
        ".css",
        ".html",
        ".tpl",
    }
)
_NAMES = frozenset(
    {"Makefile", "Dockerfile", "Containerfile", "run", ".importlinter", ".npmrc", ".gitignore", ".dockerignore"}
)
_MAX_BYTES = 2_000_000


class Report(NamedTuple):
    rule: str
    finding: Finding

    def __str__(self) -> str:
        path, line, message, remedy = self.finding
        return f"{path}:{line}: {self.rule}: {message} ({remedy})"


def read_project(root: Path) -> Project:
    """The text files below `root`; hidden folders, installed packages and built files are left out."""
    return Project(
        {path.relative_to(root).as_posix(): text for path in _files(root) if (text := _text(path)) is not None}
    )


def check_project(project: Project) -> list[Report]:
    """All findings, in order of path and line."""
    found = [
        Report(rule.name, finding)
        for path, text in project.texts.items()
        for rule in TEXT_RULES
        for finding in rule.check(path, text)
    ]
    for path in project.texts:
        if path.endswith(".py") and path.startswith(PYTHON_FOLDERS):
            found.extend(_check_python(project, path))
    return sorted(found, key=lambda report: (report.finding.path, report.finding.line, report.rule))


def _check_python(project: Project, path: str) -> Iterator[Report]:
    try:
        source = project.source(path)
    except SyntaxError as error:
        yield Report("syntax", Finding(path, error.lineno or 1, error.msg, "make it Python 3.11"))
        return
    for rule in RULES:
        for finding in rule.check(source):
            yield Report(rule.name, finding)


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if _is_read(name))
        for name in sorted(names):
            if name in _NAMES or os.path.splitext(name)[1] in _SUFFIXES:  # noqa: PTH122 a Path for each file costs a tenth of a second
                yield Path(folder, name)


def _is_read(folder: str) -> bool:
    return folder in _HIDDEN_FOLDERS_READ or not (folder.startswith(".") or folder in _SKIPPED_FOLDERS)


def _text(path: Path) -> str | None:
    """The text, or None for what is no text, too large to be written by hand, or gone since it was listed."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(content) > _MAX_BYTES or b"\0" in content[:1024]:
        return None
    return content.decode(errors="replace")
