"""The hooks of pre-commit are the lint part of `make check`, no more and no less, and fetch nothing."""

import re
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[2]
TARGETS = ("lint", "imports", "types")


def recipe(target: str) -> list[str]:
    """The commands of a target in the Makefile."""
    text = (PROJECT / "Makefile").read_text()
    (found,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)*)", text, re.MULTILINE)
    return [line.lstrip("@").replace("$(BIN)", ".venv/bin") for line in found.replace("\t", "").splitlines()]


def test_the_hooks_are_the_lints_of_make_check() -> None:
    (source,) = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"]
    assert source["repo"] == "local"
    assert {hook["language"] for hook in source["hooks"]} == {"system"}
    assert sorted(hook["entry"] for hook in source["hooks"]) == sorted(
        command for target in TARGETS for command in recipe(target)
    )
