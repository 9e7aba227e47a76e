"""What is wrong with a playbook: where, which value, and what to do."""

import difflib
from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to put right."""

    line: int
    """Counted from 1."""
    path: str
    """`steps[2].text.en`; empty for the whole file."""
    text: str
    """What is wrong, with the value, and what to do."""

    def __str__(self) -> str:
        return f"line {self.line}, {self.path or 'the file'}: {self.text}"


def choose(given: str, known: Iterable[str]) -> str:
    """A remedy for a name that is not known: the nearest one that is, and all of them."""
    names = sorted(str(name) for name in known)
    near = difflib.get_close_matches(given, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known are {', '.join(names)}" if names else "none are known"
