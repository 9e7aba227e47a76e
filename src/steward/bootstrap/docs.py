"""Generates `docs/reference/configuration.md` from the settings: `python -m steward.bootstrap.docs [--check]`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from steward.bootstrap.settings import Part, parts
from steward.kit.settings import Variable, describe

TARGET = Path("docs/reference/configuration.md")

_HEAD = """# Configuration

Generated from the settings by `python -m steward.bootstrap.docs`; change the settings, not this page.

Every setting is an environment variable. An empty variable counts as absent. A variable marked *secret* is masked in
messages and may be given as a file instead: `<NAME>_FILE` names one that holds the value. Steward does not start on a
value that it cannot use, and reports `STEWARD_…` variables that nothing reads.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for part in parts() for line in _section(part))])


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` only say whether it is up to date (exit code 1 when not)."""
    text = page()
    if list(arguments) == ["--check"]:
        if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        sys.stderr.write(f"{TARGET} is out of date: run `python -m steward.bootstrap.docs`.\n")
        return 1
    if arguments:
        sys.stderr.write("usage: python -m steward.bootstrap.docs [--check]\n")
        return 2
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    return 0


def _section(part: Part) -> Iterator[str]:
    yield f"## {part.title}"
    yield ""
    yield from ((part.cls.__doc__ or "").strip(), "")
    yield "| variable | value | default | meaning |"
    yield "|---|---|---|---|"
    for variable in describe(part.cls, part.prefix):
        yield f"| `{variable.name}` | {_cell(variable.type)} | {_default(variable)} | {_meaning(variable)} |"
    yield ""


def _default(variable: Variable) -> str:
    if variable.required:
        return "required"
    return f"`{_cell(variable.default)}`" if variable.default else "not set"


def _meaning(variable: Variable) -> str:
    return _cell(variable.description) + (" *Secret.*" if variable.sensitive else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
