"""The rule `noqa-with-reason`."""

import pytest

from lint.rules.noqa_with_reason import check
from lint.tests.samples import lines_found


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: S105",
        "# noqa: S105, E501",
        "# NOQA:S105 ok",
        "# noqa: because of the width",
        "# pyright: ignore",
        "# pyright: ignore[reportAny]",
        "# pyright: ignore because it must",
        "# noqa: S105  # pyright: ignore[reportAny]",
        "# noqa: S105 the name of a header  # pyright: ignore",
        "# type: ignore[arg-type] the stub is wrong",
        "# ruff: noqa",
        "# pyright: basic",
        "# pyright: reportUnknownMemberType=false",
    ],
)
def test_a_bare_silence_is_found(comment: str) -> None:
    assert lines_found(check, f"a = 1\nb = 2  {comment}\n", "src/steward/kit/a.py") == [2]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: S105 the name of a header",
        "# noqa: S105, E501 - the name of a header",
        "# noqa: S603  # Our own binary, no shell.",
        "# pyright: ignore[reportAny] msgspec gives plain data",
        "# noqa: S105  # pyright: ignore[reportAny] msgspec gives plain data",
        "# pyright: strict",
        "# A comment about noqa, or type checking: ignore it.",
    ],
)
def test_a_reasoned_silence_passes(comment: str) -> None:
    assert lines_found(check, f"a = 1\nb = 2  {comment}\n", "src/steward/kit/a.py") == []


def test_a_string_is_no_comment() -> None:
    assert lines_found(check, 'a = "# noqa"\n', "tests/a.py") == []
